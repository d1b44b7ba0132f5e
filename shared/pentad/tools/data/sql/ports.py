"""What the SQL tools ask of a database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Scalar = str | int | float | bool | None
Row = dict[str, Any]


@dataclass(frozen=True)
class FoundRows:
    """What a query found.

    Args:
        rows: values by column, numbers as PostgreSQL writes them.
        notes: what is left out, and why.
    """

    rows: list[Row]
    notes: list[str]


@dataclass(frozen=True)
class NamedField:
    """A field ``alias.name`` that a statement's words do not show to be a column.

    Args:
        name: as the database keeps it.
        sources: for each thing that the alias stands for, the tables of which one has to have the column; none: it is
            no column.
    """

    name: str
    sources: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CheckedQuery:
    """A checked statement that reads.

    Args:
        sql: the statement.
        fields: what the database is asked about before it runs.
    """

    sql: str
    fields: tuple[NamedField, ...] = ()


@dataclass(frozen=True)
class TableChange:
    """A change of rows of one table, as a checked statement.

    Args:
        kind: of the statement.
        table: with its schema.
        name: under which the statement knows the table.
        sql: the statement, which returns nothing.
        condition: its WHERE as SQL, empty for an insert; its values are counted from $1.
        condition_parameters: which of the statement's values these are, from 1.
        columns: the columns that it sets; None: all of them, or not known.
        fields: what the database is asked about before it runs.
    """

    kind: str
    table: str
    name: str
    sql: str
    condition: str = ""
    condition_parameters: tuple[int, ...] = ()
    columns: frozenset[str] | None = None
    fields: tuple[NamedField, ...] = ()


@dataclass(frozen=True)
class ChangedRow:
    """A row before and after a change.

    Args:
        before: as text by column; None for a row that is new.
        after: the same; None for a row that is gone.
        digest: of the row after the change, by which the undo knows whether it is still the same.
        stored: the row before, as JSON that PostgreSQL reads again.
    """

    before: dict[str, str | None] | None
    after: dict[str, str | None] | None
    digest: str = field(default="", repr=False)
    stored: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DoneRows:
    """What a change came to.

    Args:
        key: the table's primary key; empty: the role sees none.
        rows: of the table, before and after.
        other_tables: where else rows changed (foreign keys that cascade, triggers), with their schemas; the table
            itself, if more of its rows changed than the statement says.
    """

    key: list[str]
    rows: list[ChangedRow]
    other_tables: list[str] = field(default_factory=list)


class SqlDatabase(Protocol):
    """One database as one role sees it. Every call is one transaction of its own, with bounds of time and size."""

    def query(self, query: CheckedQuery, parameters: Sequence[Scalar], *, max_rows: int, max_bytes: int) -> FoundRows:
        """Return the rows of a query, run in a transaction that can't write.

        Raises:
            InvalidInput: the database says that the statement is wrong; in its words.
            PolicyDenied: the role may not do it.
            ToolFailed: it took too long.
            ToolUnavailable: the database did not answer.
        """
        ...

    def describe(self, tables: Sequence[str]) -> list[Row]:
        """Return the columns of tables, as far as the role may read them.

        Raises:
            ToolUnavailable: the database did not answer.
        """
        ...

    def change(
        self,
        change: TableChange,
        parameters: Sequence[Scalar],
        *,
        max_rows: int,
        max_bytes: int,
        expected: DoneRows | None = None,
    ) -> DoneRows:
        """Do a change, or none of it, and return the rows before and after.

        Args:
            change: the statement.
            parameters: its values.
            max_rows: of more rows nothing is changed.
            max_bytes: of larger rows, together before or after, nothing is changed.
            expected: what it has to come to, by the texts and the other tables; None: it is tried and taken back.

        Raises:
            InvalidInput: the database says that the statement is wrong, or it touches too many rows.
            PolicyDenied: the role may not do it.
            ToolFailed: the rows are not as expected, or it took too long; nothing was changed.
            EffectUncertain: the connection broke while the change was committed.
            ToolThrottled: others were faster; nothing was changed.
            ToolUnavailable: the database did not answer; nothing was changed.
        """
        ...

    def restore(self, table: str, key: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
        """Put old rows back, all or none.

        Args:
            table: with its schema.
            key: the columns of its primary key.
            rows: ``key`` (values as text), ``digest`` of the row as it was left, and ``before`` as JSON; either may be
                empty: then there is no such row.

        Raises:
            ToolFailed: somebody has changed one of them since; nothing was restored.
        """
        ...
