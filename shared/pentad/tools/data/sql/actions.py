"""What the SQL tools do: check a statement, run it within bounds, and say what came of it."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pentad.domain.errors import InvalidInput, ToolFailed
from pentad.tools.data.sql.ports import ChangedRow, DoneRows, Scalar, SqlDatabase
from pentad.tools.data.sql.settings import SqlChangeSettings, SqlSettings
from pentad.tools.data.sql.statements import check_change, check_query

MAX_ANSWER_BYTES = 60_000
"""Less than the 64 KB of a result that the model reads at once."""
_MAX_UNDO_BYTES = 28_000
_MAX_PARAMETERS = 100

Texts = dict[str, str | None]
Parameters = Annotated[
    list[Annotated[str, Field(max_length=20_000)] | int | float | bool | None],
    Field(max_length=_MAX_PARAMETERS, description="the values of $1, $2, ...; decimals and dates as text"),
]


class SqlRows(BaseModel):
    """What a query found."""

    rows: list[dict[str, Any]]
    row_count: int
    notes: list[str] = Field(description="what is left out of the rows, and why")


class ShownChange(BaseModel):
    """One row as it was and as it is, values as text. A new row has no ``before``, one that is gone no ``after``."""

    before: Texts | None = None
    after: Texts | None = None


class PreviewedChange(BaseModel):
    """What a change would come to; nothing was changed."""

    table: str
    rows: list[ShownChange]
    other_tables: list[str] = Field(description="where rows change too that are not shown: by foreign keys or triggers")
    undoable: bool
    notes: list[str]


class DoneChange(BaseModel):
    """What a change came to."""

    table: str
    changed_rows: int
    undoable: bool


class RowsToRestore(BaseModel):
    """What undoing a change needs: for each row its key, the digest of what it became, and what it was."""

    table: str
    key: list[str]
    rows: list[dict[str, Any]]
    reason: str | None = Field(default=None, description="why it can't be undone")


def query(settings: SqlSettings, database: SqlDatabase, statement: str, parameters: Sequence[Scalar]) -> SqlRows:
    """Return the rows of a statement that only reads.

    Raises:
        InvalidInput: the statement is refused; it says why.
        PolicyDenied: the database's role may not do it.
        ToolFailed: it took too long.
    """
    checked = check_query(statement, settings.tables)
    found = database.query(checked, parameters, max_rows=settings.max_rows, max_bytes=MAX_ANSWER_BYTES)
    return SqlRows(rows=found.rows, row_count=len(found.rows), notes=found.notes)


def preview(
    settings: SqlChangeSettings, database: SqlDatabase, statement: str, parameters: Sequence[Scalar]
) -> PreviewedChange:
    """Try a change, take it back, and return the rows before and after.

    Raises:
        InvalidInput: the statement is refused, or touches no row or too many.
        PolicyDenied: the database's role may not do it.
    """
    change = check_change(statement, settings.tables, settings.reads)
    done = database.change(change, parameters, max_rows=settings.max_rows, max_bytes=MAX_ANSWER_BYTES)
    reason = _collect_undo(change.table, done).reason
    shown = [ShownChange(before=row.before, after=row.after) for row in done.rows]
    return PreviewedChange(
        table=change.table,
        rows=shown,
        other_tables=done.other_tables,
        undoable=reason is None,
        notes=[f"it can't be undone: {reason}"] if reason else [],
    )


def change(
    settings: SqlChangeSettings,
    database: SqlDatabase,
    statement: str,
    parameters: Sequence[Scalar],
    rows: Sequence[ShownChange],
    other_tables: Sequence[str],
) -> tuple[DoneChange, RowsToRestore]:
    """Do a change if it comes to the rows that were shown, and return what undoing it needs.

    Raises:
        InvalidInput: the statement is refused.
        PolicyDenied: the database's role may not do it.
        ToolFailed: it would come to other rows; nothing was changed.
    """
    checked = check_change(statement, settings.tables, settings.reads)
    if len(rows) > settings.max_rows:
        raise InvalidInput(
            f"{len(rows)} rows are more than the {settings.max_rows} that one call changes",
            field="rows",
            fix="narrow the condition",
        )
    expected = DoneRows([], [ChangedRow(row.before, row.after) for row in rows], list(other_tables))
    done = database.change(
        checked, parameters, max_rows=settings.max_rows, max_bytes=MAX_ANSWER_BYTES, expected=expected
    )
    kept = _collect_undo(checked.table, done)
    return DoneChange(table=checked.table, changed_rows=len(done.rows), undoable=kept.reason is None), kept


def undo(database: SqlDatabase, kept: RowsToRestore) -> None:
    """Put the rows back as they were, if nobody has changed them since.

    Raises:
        ToolFailed: it can't be undone, or somebody has; nothing was restored.
    """
    if kept.reason is not None:
        raise ToolFailed(f"the change can't be undone: {kept.reason}", fix="change the rows by hand")
    database.restore(kept.table, kept.key, kept.rows)


def _collect_undo(table: str, done: DoneRows) -> RowsToRestore:
    def refuse(reason: str) -> RowsToRestore:
        return RowsToRestore(table=table, key=done.key, rows=[], reason=reason)

    if done.other_tables:
        return refuse(f"rows changed that are not kept, in {', '.join(done.other_tables)} (foreign keys or triggers)")
    if not done.key:
        return refuse("the table has no primary key that the role may see")
    found = []
    for row in done.rows:
        values = row.after or row.before or {}
        found.append({"key": [values.get(name) for name in done.key], "digest": row.digest, "before": row.stored})
    kept = RowsToRestore(table=table, key=done.key, rows=found)
    return refuse("the old rows are too large to be kept") if len(kept.model_dump_json()) > _MAX_UNDO_BYTES else kept
