"""The password of a role of PostgreSQL: the role changes it itself, with a hash that the server never sees opened."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from pentad.domain.errors import ConfigurationError, ToolUnavailable
from pentad.tools.credentials.generated import make_password, replace_field
from pentad.tools.outside.ports import Credential

if TYPE_CHECKING:
    from psycopg import Connection

_SECONDS: Final = 5
_REFUSED: Final = frozenset({"28P01", "28000"})
"""invalid_password, invalid_authorization_specification."""
_NAMES: Final = {"host": "host", "port": "port", "username": "user", "password": "password", "dbname": "dbname"}
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_SAME: Final = ("host", "port", "user", "dbname")


class PostgresRole:
    """`Rotator` of the secret ``{host, port?, dbname, username, password, sslmode?}`` or ``{url}``."""

    def make(self, current: str, field: str) -> str:
        """See `Rotator`."""
        password = make_password()
        url = Credential(current).fields.get("url")
        if url is None:
            return replace_field(current, "password", password)
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        user = parts.username or ""
        return replace_field(current, "url", urlunsplit(parts._replace(netloc=f"{user}:{quote(password)}@{place}")))

    def set(self, pending: str, current: str, previous: str | None) -> None:
        """See `Rotator`."""
        wanted, now = _read_login(pending), _read_login(current)
        if any(wanted.get(name) != now.get(name) for name in _SAME):
            raise ConfigurationError(
                "the pending value is of another role or database", fix="cancel the rotation, and start it again"
            )
        if _accepts(wanted):
            return
        for login in (now, *([_read_login(previous)] if previous is not None else [])):
            if all(login.get(name) == wanted.get(name) for name in _SAME) and _accepts(login):
                _change_password(login, str(wanted["password"]))
                return
        raise ConfigurationError(
            "the database accepts none of the role's passwords", fix="set the current one at the database"
        )

    def test(self, value: str) -> None:
        """See `Rotator`."""
        if not _accepts(_read_login(value)):
            raise ConfigurationError("the database does not accept the role's password", fix="run setSecret again")


def _accepts(login: Mapping[str, str]) -> bool:
    """Return whether the database takes a login, and answers."""
    connection = _connect(login)
    if connection is None:
        return False
    with closing(connection):
        connection.execute("SELECT 1")
    return True


def _change_password(login: Mapping[str, str], password: str) -> None:
    from psycopg import Error, sql

    connection = _connect(login)
    if connection is None:
        raise ToolUnavailable("the role's password changed meanwhile: try the step again")
    with closing(connection):
        user = connection.info.user
        # The server gets the hash alone: a statement is in its log, and in pg_stat_activity.
        hashed = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
        command = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(hashed))
        try:
            connection.execute(command)
            connection.commit()
        except Error as error:  # such as another try of this step, at the same time
            raise ToolUnavailable(f"the role's password could not be changed: {error.sqlstate}") from None


def _connect(login: Mapping[str, str]) -> "Connection[Any] | None":
    """Return a connection, or None where the server does not accept the login.

    Raises:
        ToolUnavailable: it could not be reached.
    """
    import psycopg

    # The secret's own options stay: hosts of databases tell their servers apart by them.
    settings = f"{login.get('options', '')} -c statement_timeout=5000".strip()
    options: dict[str, Any] = {**login, "options": settings, "connect_timeout": _SECONDS}
    try:
        connection = psycopg.connect(**{"application_name": "pentad-rotation", **options})
    except psycopg.OperationalError as error:
        if error.sqlstate in _REFUSED or "authentication failed" in str(error):
            return None
        raise ToolUnavailable("the database could not be reached") from None
    return connection


def _read_login(text: str) -> dict[str, str]:
    """Return what libpq is given.

    Raises:
        ConfigurationError: a field is missing, or the url can't be read.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    values = Credential(text).fields
    url = values.get("url")
    if url is None:
        login = {to: values[name] for name, to in _NAMES.items() if values.get(name)}
    else:
        try:
            login = {name: str(value) for name, value in conninfo_to_dict(url).items() if value}
        except ProgrammingError:
            raise ConfigurationError(
                "the database's secret has a url that can't be read",
                field="url",
                fix="write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE, with % as %25 and @ as %40 in PASSWORD",
            ) from None  # the driver's error holds the password
    missing = [name for name in ("host", "user", "password", "dbname") if not login.get(name)]
    if missing:
        raise ConfigurationError(
            f"the database's secret has no {' and no '.join(missing)}",
            field=missing[0],
            fix='store {"host", "port", "dbname", "username", "password"} or {"url"}',
        )
    if values.get("sslmode"):
        login["sslmode"] = values["sslmode"]
    if "sslmode" not in login and login["host"] not in _LOCAL and not login["host"].startswith("/"):
        login["sslmode"] = "require"  # whatever the driver's default is
    return login
