"""How PostgreSQL is reached, what its errors mean, and how rows and tables are read from it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    PentadError,
    PolicyDenied,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.data.sql.ports import FoundRows, Row

MAX_ROW_BYTES = 200_000
_BATCH = 20
_LOCAL = ("localhost", "127.0.0.1", "::1")
Connection = psycopg.Connection[Any]


def read_address(credentials: Mapping[str, str]) -> str:
    """Return the connection's address; over a network it is encrypted, whatever the driver's default is.

    Args:
        credentials: see `PostgresDatabase`.

    Raises:
        ConfigurationError: a field is missing, or the url can't be read.
    """
    url = credentials.get("url")
    names = {"host": "host", "port": "port", "username": "user", "password": "password", "dbname": "dbname"}
    if url:
        try:
            parts = dict(conninfo_to_dict(url))
        except psycopg.ProgrammingError:
            raise ConfigurationError(
                "the database's secret has a url that can't be read",
                field="secret",
                fix="write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE, with % as %25 and @ as %40 in PASSWORD",
            ) from None  # the driver's error holds the password
    else:
        missing = [f"'{name}'" for name in ("host", "username", "password", "dbname") if not credentials.get(name)]
        if missing:
            raise ConfigurationError(
                f"the database's secret has no {', '.join(missing)}",
                field="secret",
                fix='store {"url": "postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full"}',
            )
        parts = {field: credentials[name] for name, field in names.items() if credentials.get(name)}
    host = str(parts.get("host") or "")
    if "sslmode" not in parts and host and host not in _LOCAL and not host.startswith("/"):
        parts["sslmode"] = "require"
    return make_conninfo("", **parts)


@contextmanager
def translate_errors(seconds: int) -> Iterator[None]:
    """Raise the driver's errors as ours, without the statement and its values."""
    try:
        yield
    except PentadError:
        raise
    except UnicodeEncodeError:
        raise InvalidInput("a value holds half of a character", field="parameters", fix="write it whole") from None
    except psycopg.Error as error:
        raise _make_error(error, seconds) from None  # the driver's error holds the statement and its values


def _make_error(error: psycopg.Error, seconds: int) -> PentadError:
    said = (error.diag.message_primary or type(error).__name__)[:300]
    hint = (error.diag.message_hint or "correct the statement")[:200]
    match error:
        case errors.QueryCanceled():
            return ToolFailed(f"the statement took longer than {seconds} seconds", fix="ask for less at once")
        case errors.LockNotAvailable() | errors.DeadlockDetected() | errors.SerializationFailure():
            return ToolThrottled("others hold the rows; nothing was done")
        case errors.InsufficientPrivilege() | errors.ReadOnlySqlTransaction():
            return PolicyDenied(f"the database refuses it: {said}", fix="use what its role is granted")
        case errors.IntegrityError():
            return ToolFailed(
                f"a rule of the database refuses it: {said}; nothing was changed", fix="change the values"
            )
        case errors.ProgrammingError() | errors.DataError() | errors.NotSupportedError():
            return InvalidInput(f"the database says: {said}", field="statement", fix=hint)
        case _:
            return ToolUnavailable("the database did not answer")


def commit(connection: Connection) -> None:
    """Make a change final.

    Raises:
        ToolFailed: a rule that is checked at the end refuses it; nothing was changed.
        EffectUncertain: the connection broke meanwhile.
    """
    try:
        connection.commit()
    except errors.IntegrityError as error:  # a constraint that is checked at the end
        raise _make_error(error, 0) from None
    except psycopg.Error:
        raise EffectUncertain(
            "the connection broke while the change was committed: it may or may not have happened",
            fix="check the rows before you try again",
        ) from None


def take_rows(connection: Connection, max_rows: int, max_bytes: int) -> FoundRows:
    """Return what the cursor ``pentad`` finds, rows as JSON, within both bounds."""
    rows: list[Row] = []
    notes: list[str] = []
    size = 0
    fetch = sql.SQL("FETCH FORWARD {} FROM pentad").format(sql.Literal(_BATCH))
    while batch := connection.execute(fetch).fetchall():
        for (text,) in batch:
            if text is None:
                notes.append(f"row {len(rows) + 1} has more than {MAX_ROW_BYTES:,} bytes and is left out")
                continue
            size += len(text)
            if len(rows) >= max_rows or size > max_bytes:
                bound = f"{max_rows:,} rows" if len(rows) >= max_rows else f"{max_bytes:,} bytes"
                notes.append(
                    f"there are more rows: these are the first {len(rows):,}, as an answer has {bound} at most"
                )
                return FoundRows(rows, notes)
            rows.append(_read_row(text))
    return FoundRows(rows, notes)


def _read_row(text: str) -> Row:
    def collect(pairs: list[tuple[str, Any]]) -> Row:
        made: Row = {}
        for name, value in pairs:
            unique, number = name, 2
            while unique in made:
                unique, number = f"{name}_{number}", number + 1
            made[unique] = value
        return made

    # A number keeps its digits as text where a float would lose some.
    row: Row = json.loads(text, object_pairs_hook=collect, parse_float=_keep_digits)
    return row


def _keep_digits(text: str) -> float | str:
    value = float(text)
    return value if repr(value) == text else text


def show_texts(text: str) -> dict[str, str | None]:
    """Return a row's values as text, as the model gives them back."""
    row = json.loads(text, parse_float=str, parse_int=str)
    return {
        name: value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)
        for name, value in row.items()
    }


def describe_table(connection: Connection, table: str) -> Row | None:
    """Return the columns of a table that the role may read; None: there are none."""
    rows = connection.execute(
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, coalesce(i.indisprimary, false),
               left(col_description(a.attrelid, a.attnum), 200)
        FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
             AND a.attnum = ANY(i.indkey)
        WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
              AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
        ORDER BY a.attnum LIMIT 500
        """,
        (table if "." in table else f"public.{table}",),
    ).fetchall()
    if not rows:
        return None
    columns = []
    for name, kind, nullable, primary, comment in rows:
        column = {"name": name, "type": kind, "nullable": nullable}
        columns.append(column | ({"primary_key": True} if primary else {}) | ({"comment": comment} if comment else {}))
    return {"table": table, "columns": columns}
