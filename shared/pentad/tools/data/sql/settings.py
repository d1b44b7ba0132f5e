"""What a deployment says of its database."""

from typing import Annotated

from pydantic import Field

from pentad.domain.values import FrozenValue

TABLE_PATTERN = r"^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$"
_Table = Annotated[str, Field(pattern=TABLE_PATTERN)]


class SqlSettings(FrozenValue):
    """A database and the tables that a tool may name; the grants of its role are the wall behind it.

    Args:
        secret: the name of the secret that holds the role's ``url``, or ``host``, ``username``, ``password`` and
            ``dbname``, as RDS stores them.
        tables: those that statements may name, as ``orders`` (in ``public``) or ``sales.orders``.
        max_rows: the most rows that one answer has.
        timeout_seconds: the longest that a statement runs.
    """

    secret: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    tables: tuple[_Table, ...] = Field(min_length=1, max_length=200)
    max_rows: int = Field(default=100, ge=1, le=1_000)
    timeout_seconds: int = Field(default=10, ge=1, le=60)


class SqlChangeSettings(SqlSettings):
    """The same for changes: ``tables`` are those that may be changed; ``max_rows`` is the most that a call changes."""

    max_rows: int = Field(default=20, ge=1, le=100)
    reads: tuple[_Table, ...] = Field(default=(), max_length=200, description="tables that conditions may name besides")
