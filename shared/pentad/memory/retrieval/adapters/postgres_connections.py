"""A few connections to PostgreSQL that are used again. Safe under threads."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pentad.domain.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_SECONDS = 5
WAIT_SECONDS = 20.0
_CHECK_AFTER_SECONDS = 20.0
"""A connection that was idle for longer is asked first: servers and networks close such ones without a word."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


class PostgresConnections:
    """At most ``most`` connections, opened when needed.

    Args:
        credentials: returns the secret ``{url}``.
        most: connections at once; who needs another one waits, at most 20 seconds.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, most: int) -> None:
        self._credentials = credentials
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Connection[Any]]] = []
        self._url: str | None = None

    @contextmanager
    def borrow(self) -> Iterator["Connection[Any]"]:
        """Yield a connection; it is kept for the next caller unless it broke.

        Raises:
            StoreUnavailable: all are in use, and none came free.
            ConfigurationError: the secret has no url.
            psycopg.Error: no connection could be made.
        """
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("the vector store's connections are all in use")
        try:
            connection = self._take_idle() or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close those that are idle, and forget the secret."""
        with self._lock:
            idle, self._idle, self._url = self._idle, [], None
        for _, connection in idle:
            connection.close()

    def _take_idle(self) -> "Connection[Any] | None":
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since < _CHECK_AFTER_SECONDS or _is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: "Connection[Any]") -> None:
        if connection.closed or connection.broken:
            connection.close()
            return
        with self._lock:
            self._idle.append((time.monotonic(), connection))

    def _connect(self) -> "Connection[Any]":
        import psycopg

        with self._lock:
            if self._url is None:
                self._url = _read_url(self._credentials())
            url = self._url
        # Prepared statements would not survive a pooler that gives each transaction another session.
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS, prepare_threshold=None)


def _is_alive(connection: "Connection[Any]") -> bool:
    import psycopg

    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _read_url(secret: Mapping[str, str]) -> str:
    """Return the connection's url; over a network it is encrypted, whatever the driver's default is."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    url = secret.get("url")
    if not url:
        raise ConfigurationError(
            "the vector store's secret has no url",
            field="url",
            fix='set the secret to {"url": "postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full"}',
        )
    parts = conninfo_to_dict(url)
    host = str(parts.get("host") or "")
    if "sslmode" not in parts and host and host not in _LOCAL and not host.startswith("/"):
        return make_conninfo(url, sslmode="require")
    return url
