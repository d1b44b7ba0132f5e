"""What the SQL tools do: check a statement, run it within bounds, and say what came of it."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pentad.domain.errors import InvalidInput, ToolFailed
from pentad.tools.data.sql.ports import ChangedRow, Scalar, SqlDatabase
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
    key, rows = database.change(change, parameters, max_rows=settings.max_rows)
    reason = _collect_undo(change.table, key, rows).reason
    shown = [ShownChange(before=row.before, after=row.after) for row in rows]
    notes = [f"it can't be undone: {reason}"] if reason else []
    return PreviewedChange(table=change.table, rows=shown, undoable=reason is None, notes=notes)


def change(
    settings: SqlChangeSettings,
    database: SqlDatabase,
    statement: str,
    parameters: Sequence[Scalar],
    rows: Sequence[ShownChange],
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
    expected = [ChangedRow(row.before, row.after) for row in rows]
    key, done = database.change(checked, parameters, max_rows=settings.max_rows, expected=expected)
    kept = _collect_undo(checked.table, key, done)
    return DoneChange(table=checked.table, changed_rows=len(done), undoable=kept.reason is None), kept


def undo(database: SqlDatabase, kept: RowsToRestore) -> None:
    """Put the rows back as they were, if nobody has changed them since.

    Raises:
        ToolFailed: it can't be undone, or somebody has; nothing was restored.
    """
    if kept.reason is not None:
        raise ToolFailed(f"the change can't be undone: {kept.reason}", fix="change the rows by hand")
    database.restore(kept.table, kept.key, kept.rows)


def _collect_undo(table: str, key: list[str], rows: Sequence[ChangedRow]) -> RowsToRestore:
    if not key:
        return RowsToRestore(table=table, key=[], rows=[], reason="the table has no primary key that the role may see")
    found = []
    for row in rows:
        values = row.after or row.before or {}
        found.append({"key": [values.get(name) for name in key], "digest": row.digest, "before": row.stored})
    kept = RowsToRestore(table=table, key=key, rows=found)
    if len(kept.model_dump_json()) > _MAX_UNDO_BYTES:
        return RowsToRestore(table=table, key=key, rows=[], reason="the old rows are too large to be kept")
    return kept
