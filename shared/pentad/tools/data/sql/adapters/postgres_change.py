"""A change of rows within a transaction: what each row was and is, and which other tables changed with it."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from pentad.domain.errors import InvalidInput, ToolFailed, ToolThrottled
from pentad.tools.data.sql.adapters.postgres_rows import Connection, show_texts
from pentad.tools.data.sql.ports import ChangedRow, Scalar, TableChange

_NOT_COUNTED = "any table, for all that is known: the server has 'track_counts' off"
# What the server has counted in this transaction: also what foreign keys, triggers and rules did.
_COUNTED = """
SELECT c.oid = %(table)s::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass)),
       quote_ident(n.nspname) || '.' || quote_ident(c.relname), i, u, d
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     LATERAL (SELECT pg_stat_get_xact_tuples_inserted(c.oid) AS i, pg_stat_get_xact_tuples_updated(c.oid) AS u,
                     pg_stat_get_xact_tuples_deleted(c.oid) AS d) AS x
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname <> 'pg_toast' AND i + u + d > 0 ORDER BY 2 LIMIT 100
"""


class ChangeOfRows:
    """Does a change within a transaction and says what each row was and is."""

    def __init__(
        self,
        connection: Connection,
        change: TableChange,
        key: list[str],
        parameters: Sequence[Scalar],
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self._connection = connection
        self._change = change
        self._key = key
        self._parameters = list(parameters)
        self._max_rows = max_rows
        self._max_bytes = max_bytes

    def run(self) -> list[ChangedRow]:
        """Do it.

        Raises:
            InvalidInput: it touches no row, too many, or too large ones.
            ToolThrottled: others changed the rows meanwhile.
            ToolFailed: the table's own rules change the rows' keys.
        """
        before = {} if self._change.kind == "insert" else self._lock_rows()
        if self._change.kind == "update" and not self._key and len(before) > 1:
            # Nothing says which row before became which row after.
            raise InvalidInput(
                "the table has no primary key that the role may see, so rows are changed one by one",
                field="statement",
                fix="narrow its condition to one row",
            )
        after = self._execute()
        if self._change.kind == "insert":
            self._check_count(len(after))
            return [ChangedRow(None, show_texts(text), digest) for _, text, digest in after]
        if len(after) != len(before):
            raise ToolThrottled("the rows changed at the same time; nothing was done")
        if self._change.kind == "delete":
            return [ChangedRow(show_texts(text), None, "", text) for text, _ in before.values()]
        found = {place: (text, digest) for place, text, digest in after}
        if found.keys() != before.keys():
            raise ToolFailed("the table's own rules change its rows' keys; nothing was changed", fix="change by hand")
        return [
            ChangedRow(show_texts(text), show_texts(found[place][0]), found[place][1], text)
            for place, (text, _) in before.items()
        ]

    def _lock_rows(self) -> dict[str, tuple[str, str]]:
        schema, _, table = self._change.table.partition(".")
        name = sql.Identifier(self._change.name)
        statement = sql.SQL(
            "SELECT {place} AS place, row_to_json({name})::text AS row, md5({name}::text) AS digest "
            "FROM {table} AS {name} WHERE {condition} ORDER BY {order} LIMIT {limit} FOR UPDATE"
        ).format(
            place=self._build_place(),
            name=name,
            table=sql.Identifier(schema, table),
            condition=sql.SQL(self._change.condition),  # generated from a checked tree
            order=sql.SQL(", ").join(sql.Identifier(self._change.name, one) for one in self._key) if self._key
            else sql.SQL("2"),
            limit=sql.Literal(self._max_rows + 1),
        )  # fmt: skip
        rows = self._fetch(sql.SQL("SELECT {} FROM ({}) AS pentad"), statement, self._list_condition_parameters())
        self._check_count(len(rows))
        return {place: (text, digest) for place, text, digest in rows}

    def _list_condition_parameters(self) -> list[Scalar]:
        numbers = self._change.condition_parameters
        if any(not 1 <= number <= len(self._parameters) for number in numbers):
            raise InvalidInput("a value is missing", field="parameters", fix="give a value for each $1, $2, ...")
        return [self._parameters[number - 1] for number in numbers]

    def _execute(self) -> list[tuple[str, str, str]]:
        name = sql.Identifier(self._change.name)
        returning = sql.SQL(
            "\nRETURNING {place} AS place, row_to_json({name})::text AS row, md5({name}::text) AS digest"
        ).format(place=self._build_place(), name=name)
        statement = sql.SQL(self._change.sql) + returning  # a checked statement
        return self._fetch(sql.SQL("WITH pentad AS ({1}) SELECT {0} FROM pentad"), statement, self._parameters)

    def _fetch(
        self, around: sql.SQL, statement: sql.Composable, parameters: list[Scalar]
    ) -> list[tuple[str, str, str]]:
        """Return rows within the bounds; the server sends no more than one row above, and none that is too large."""
        shown = sql.SQL("place, CASE WHEN sum(octet_length(row)) OVER () <= {} THEN row END, digest").format(
            sql.Literal(self._max_bytes)
        )
        bounded = around.format(shown, statement) + sql.SQL(" LIMIT {}").format(sql.Literal(self._max_rows + 1))
        rows = psycopg.RawCursor(self._connection).execute(bounded, parameters).fetchall()
        if len(rows) <= self._max_rows and any(text is None for _, text, _ in rows):
            raise InvalidInput(
                f"the rows have more than {self._max_bytes:,} bytes together; nothing was changed",
                field="statement",
                fix="change fewer rows in a call, or smaller values",
            )
        return [
            (place if self._key else str(number), text, digest) for number, (place, text, digest) in enumerate(rows)
        ]

    def _build_place(self) -> sql.Composable:
        """Return an expression for the row's key as text."""
        if not self._key:
            return sql.SQL("''")
        columns = [sql.SQL("{}::text").format(sql.Identifier(self._change.name, one)) for one in self._key]
        return sql.SQL("array_to_json(ARRAY[{}])::text").format(sql.SQL(", ").join(columns))

    def _check_count(self, count: int) -> None:
        if count > self._max_rows:
            raise InvalidInput(
                f"the statement touches more than {self._max_rows} rows; nothing was changed",
                field="statement",
                fix="narrow its condition, or ask for 'max_rows' to be raised in tools.yaml",
            )
        if not count:
            raise InvalidInput(
                "the statement touches no row; nothing was changed", field="statement", fix="check its condition"
            )


def list_other_tables(connection: Connection, change: TableChange, count: int) -> list[str]:
    """Return the tables in which this transaction has changed other rows than ``count`` of the change's own."""
    if connection.execute("SELECT current_setting('track_counts')").fetchone() != ("on",):
        return [_NOT_COUNTED]
    found, own = [], {"insert": 0, "update": 0, "delete": 0}
    schema, _, name = change.table.partition(".")
    table = sql.Identifier(schema, name).as_string(connection)
    for is_own, other, *counts in connection.execute(_COUNTED, {"table": table}).fetchall():
        if is_own:
            own = {kind: own[kind] + more for kind, more in zip(own, counts, strict=True)}
        else:
            found.append(other)
    if own != {kind: count if kind == change.kind else 0 for kind in own}:
        found.append(change.table)
    return found
