"""PostgreSQL by psycopg: each call is one connection and one transaction, with bounds that the server keeps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    ToolFailed,
    ToolUnavailable,
)
from pentad.tools.data.sql.adapters.postgres_change import ChangeOfRows, list_other_tables
from pentad.tools.data.sql.adapters.postgres_fields import check_fields
from pentad.tools.data.sql.adapters.postgres_rows import (
    MAX_ROW_BYTES,
    Connection,
    commit,
    describe_table,
    read_address,
    take_rows,
    translate_errors,
)
from pentad.tools.data.sql.ports import CheckedQuery, DoneRows, FoundRows, Row, Scalar, TableChange

_CONNECT_SECONDS = 5
_LOCK_MS = 3_000


class PostgresDatabase:
    """`SqlDatabase` on a PostgreSQL server.

    Args:
        credentials: the secret's fields: ``url``, or ``host``, ``username``, ``password``, ``dbname`` and maybe
            ``port``, as RDS stores them.
        seconds: the longest that a statement runs.
        tenant_id: stands in the setting ``pentad.tenant`` of each transaction, for policies of row level security.
        lock_ms: the longest that a statement waits for rows that others hold, in milliseconds.
        renew: returns other fields than those that the server refused; asked once, since the password may have been
            rotated in this minute. None: a refusal is final.
    """

    def __init__(
        self,
        credentials: Mapping[str, str],
        *,
        seconds: int,
        tenant_id: str,
        lock_ms: int = _LOCK_MS,
        renew: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._address = read_address(credentials)
        self._renew = renew
        self._seconds = seconds
        self._tenant_id = tenant_id
        self._lock_ms = lock_ms

    def query(self, query: CheckedQuery, parameters: Sequence[Scalar], *, max_rows: int, max_bytes: int) -> FoundRows:
        """See `SqlDatabase`."""
        # The server writes each row as JSON and leaves out one that is too large, so that no answer fills the memory.
        wrapped = (
            f"DECLARE pentad NO SCROLL CURSOR FOR SELECT CASE WHEN octet_length(j) <= {MAX_ROW_BYTES} THEN j END FROM "  # noqa: S608 - numbers of our own
            f"(SELECT row_to_json(q)::text AS j FROM (\n{query.sql}\n) AS q) AS x"
        )
        with self._transact(read_only=True) as connection:
            check_fields(connection, query.fields)
            psycopg.RawCursor(connection).execute(wrapped, list(parameters))
            return take_rows(connection, max_rows, max_bytes)

    def describe(self, tables: Sequence[str]) -> list[Row]:
        """See `SqlDatabase`."""
        with self._transact(read_only=True) as connection:
            return [one for table in tables if (one := describe_table(connection, table)) is not None]

    def change(
        self,
        change: TableChange,
        parameters: Sequence[Scalar],
        *,
        max_rows: int,
        max_bytes: int,
        expected: DoneRows | None = None,
    ) -> DoneRows:
        """See `SqlDatabase`."""
        with self._transact(read_only=False, keep=expected is not None) as connection:
            check_fields(connection, change.fields)
            key = _find_key(connection, change.table)
            if change.kind == "update" and change.columns is not None and change.columns & set(key):
                raise InvalidInput(
                    "the statement is refused: it changes the primary key", field="statement", fix="leave it as it is"
                )
            rows = ChangeOfRows(connection, change, key, parameters, max_rows, max_bytes).run()
            done = DoneRows(key, rows, list_other_tables(connection, change, len(rows)))
            if expected is not None and _list_seen(change, done) != _list_seen(change, expected):
                raise ToolFailed(
                    "the rows or the other tables are not, or no longer, as they were shown; nothing was changed",
                    fix="preview the change again; give times and random values as parameters, not as now()",
                )
            return done

    def restore(self, table: str, key: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
        """See `SqlDatabase`."""
        with self._transact(read_only=False) as connection:
            for row in rows:
                _restore_row(connection, table, list(key), row)

    @contextmanager
    def _transact(self, *, read_only: bool, keep: bool = True) -> Iterator[Connection]:
        connection = self._connect()
        try:
            with translate_errors(self._seconds):
                connection.read_only = read_only
                self._bound(connection)
                yield connection
            if read_only or not keep:
                connection.rollback()
            else:
                commit(connection)
        finally:
            connection.close()  # what is not committed is taken back by the server

    def _connect(self) -> Connection:
        connection = self._log_in()
        if connection is None and self._renew is not None:
            self._address = read_address(self._renew())
            connection = self._log_in()
        if connection is None:
            raise ConfigurationError(
                "the database does not accept the secret's user and password", field="secret", fix="correct it"
            )
        return connection

    def _log_in(self) -> Connection | None:
        """Return a connection, or None where the server does not accept user and password."""
        try:
            return psycopg.connect(
                self._address, connect_timeout=_CONNECT_SECONDS, prepare_threshold=None, application_name="pentad"
            )
        except psycopg.OperationalError as error:
            # Its text may name the user and the host: neither is the model's. The driver gives a refusal no code.
            refused = isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification)
            if refused or "authentication failed" in str(error):
                return None
            raise ToolUnavailable("the database did not answer") from None

    def _bound(self, connection: Connection) -> None:
        milliseconds = str(self._seconds * 1_000)
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true), "
            "set_config('idle_in_transaction_session_timeout', %s, true), set_config('search_path', 'public', true), "
            "set_config('standard_conforming_strings', 'on', true), set_config('DateStyle', 'ISO, YMD', true), "
            "set_config('IntervalStyle', 'iso_8601', true), set_config('TimeZone', 'UTC', true), "
            "set_config('extra_float_digits', '1', true), set_config('pentad.tenant', %s, true)",
            (milliseconds, str(self._lock_ms), milliseconds, self._tenant_id),
        )


def _list_seen(change: TableChange, done: DoneRows) -> list[Any]:
    """Return what a human has to have seen: the other tables, and of each row all of it before and what is set after.

    The table's own defaults and triggers may give other columns a new number or time with each try.
    """
    rows = [
        (
            row.before,
            row.after
            and {name: one for name, one in row.after.items() if change.columns is None or name in change.columns},
        )
        for row in done.rows
    ]
    return [sorted(done.other_tables), *rows]


def _find_key(connection: Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)",
        (table,),
    ).fetchall()
    return [name for (name,) in rows]


def _list_columns(connection: Connection, table: str, left_out: str) -> list[str]:
    """Return the columns that can be written; ``left_out`` is the kind of identity that can't."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' AND (attidentity = '' OR attidentity <> %s) ORDER BY attnum",
        (table, left_out),
    ).fetchall()
    return [name for (name,) in rows]


def _restore_row(connection: Connection, table: str, key: list[str], row: dict[str, Any]) -> None:
    schema, _, name = table.partition(".")
    place = sql.Identifier(schema, name)
    digest, before = row["digest"], row["before"]
    condition = sql.SQL(" AND ").join(sql.SQL("t.{}::text = %s").format(sql.Identifier(one)) for one in key)
    found = connection.execute(
        sql.SQL("SELECT md5(t::text) FROM {} AS t WHERE {} FOR UPDATE").format(place, condition), row["key"]
    ).fetchone()
    if (found[0] if found else "") != digest:
        raise ToolFailed("a row was changed since; nothing was restored", fix="change the rows by hand")
    columns = [sql.Identifier(one) for one in _list_columns(connection, table, "a" if digest else "")]
    listed = sql.SQL(", ").join(columns)
    old = sql.SQL("SELECT {} FROM json_populate_record(NULL::{}, %s::json)").format(listed, place)
    if not before:
        connection.execute(sql.SQL("DELETE FROM {} AS t WHERE {}").format(place, condition), row["key"])
    elif digest:
        statement = sql.SQL("UPDATE {} AS t SET ({}) = ({}) WHERE {}").format(place, listed, old, condition)
        connection.execute(statement, (before, *row["key"]))
    else:
        insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE {}").format(place, listed, old)
        connection.execute(insert, (before,))
