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
    """

    kind: str
    table: str
    name: str
    sql: str
    condition: str = ""
    condition_parameters: tuple[int, ...] = ()
    columns: frozenset[str] | None = None


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


class SqlDatabase(Protocol):
    """One database as one role sees it. Every call is one transaction of its own, with bounds of time and size."""

    def query(self, sql: str, parameters: Sequence[Scalar], *, max_rows: int, max_bytes: int) -> FoundRows:
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
        expected: Sequence[ChangedRow] | None = None,
    ) -> tuple[list[str], list[ChangedRow]]:
        """Do a change, or none of it, and return the table's primary key and the rows before and after.

        Args:
            change: the statement.
            parameters: its values.
            max_rows: of more rows nothing is changed.
            expected: what it has to come to, by the texts; None: it is tried and taken back.

        Raises:
            InvalidInput: the database says that the statement is wrong, or it touches too many rows.
            PolicyDenied: the role may not do it.
            ToolFailed: the rows are not as expected, or it took too long; nothing was changed.
            EffectUncertain: the connection broke while the change was made final.
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
