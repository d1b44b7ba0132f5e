"""Fields that would call a function: in PostgreSQL ``t.f`` is ``f(t)`` where the table ``t`` has no column ``f``."""

from collections.abc import Sequence

from pentad.domain.errors import InvalidInput
from pentad.tools.data.sql.adapters.postgres_rows import Connection
from pentad.tools.data.sql.functions import ALLOWED
from pentad.tools.data.sql.ports import NamedField
from pentad.tools.data.sql.words import refuse

# The server's own immutable functions compute only, as the listed ones do.
_CALLABLE = """
SELECT DISTINCT proname FROM pg_proc WHERE proname = ANY(%s) AND pronargs > 0 AND pronargs - pronargdefaults <= 1
AND NOT (pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'i')
"""
_HAS_COLUMN = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attname = %s AND NOT attisdropped
               AND attrelid = ANY(SELECT to_regclass(one) FROM unnest(%s::text[]) AS one))
"""


def check_fields(connection: Connection, fields: Sequence[NamedField]) -> None:
    """Refuse a statement with a field that is no column but the name of a function; nothing of it has run.

    Raises:
        InvalidInput: there is one.
    """
    if not fields:
        return
    names = sorted({one.name for one in fields})
    callable_names = {name for (name,) in connection.execute(_CALLABLE, (names,)).fetchall()} - ALLOWED
    for field in fields:
        if field.name in callable_names and not all(_has_column(connection, field.name, one) for one in field.sources):
            raise _refuse_field(field.name)


def _has_column(connection: Connection, name: str, tables: Sequence[str]) -> bool:
    if not tables:
        return False
    quoted = ['"' + '"."'.join(one.replace('"', '""').split(".", 1)) + '"' for one in tables]
    found = connection.execute(_HAS_COLUMN, (name, quoted)).fetchone()
    return bool(found and found[0])


def _refuse_field(name: str) -> InvalidInput:
    return refuse(f"'{name[:60]}' is not a column there, so it would call a function", "name columns as table.column")
