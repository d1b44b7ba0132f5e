"""The twin's HTTP server: on the loopback interface, bounded, a thread for each connection.

All of the twin's HTTP endpoints are one of these but the Lambda Runtime API, which has no server
(see `twin.host.processes.endpoint`). A fixed pool of threads would deadlock: a function that waits for a nested call
holds a thread while it waits. What is over a bound is answered with a status, counted, and told in the log.

It keeps connections alive, sends with TCP_NODELAY, streams with chunked encoding, and can misbehave on purpose: cut a
stream, reset a connection. For a request it takes less than half of the CPU time of the servers that it took the place
of: http.server, werkzeug and cheroot (`make bench-servers`).
"""

from __future__ import annotations

import logging
import secrets
import select
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Final

from twin.servers.admission import Admission
from twin.servers.connection import HttpConnection, Limits, Service
from twin.servers.messages import (
    ConnectionCut,
    Handler,
    Refused,
    RenderRefusal,
    Request,
    Response,
    json_response,
    render_refusal,
)
from twin.servers.peers import find_peer_user, may_connect

__all__ = ["ConnectionCut", "Limits", "LoopbackServer", "Request", "Response", "json_response"]

log = logging.getLogger(__name__)

_BACKLOG: Final = 128
_STOP_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1
_TELL_SECONDS: Final = 10.0
_TOKEN_BYTES: Final = 24


class LoopbackServer:
    """Serves one handler on 127.0.0.1."""

    def __init__(
        self,
        handler: Handler,
        *,
        name: str,
        limits: Limits | None = None,
        admission: Admission | None = None,
        render: RenderRefusal = render_refusal,
        private: bool = False,
    ) -> None:
        """Bind nothing yet.

        Args:
            handler: Called once per request, from several threads.
            name: Thread name and Server header.
            limits: The bounds.
            admission: Which hosts and origins may ask; by default those of this machine.
            render: Makes the response of a request that the server itself refuses.
            private: Whether the URL has an unguessable path, without which nothing is answered. For what has no
                credentials of its own.
        """
        self._limits = limits or Limits()
        self._service = Service(
            name=name,
            handler=handler,
            limits=self._limits,
            admission=admission or Admission(),
            render=render,
            report=self._report,
            prefix=f"/{secrets.token_urlsafe(_TOKEN_BYTES)}" if private else "",
        )
        self._guard = threading.Lock()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._wake: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._refusals: Counter[str] = Counter()
        self._told: dict[str, float] = {}

    @property
    def port(self) -> int:
        """The port.

        Raises:
            RuntimeError: If the server has none yet, or no more.
        """
        if self._listener is None:
            raise RuntimeError(f"{self._service.name} is not running")
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL.

        Raises:
            RuntimeError: If the server is not running.
        """
        return f"http://127.0.0.1:{self.port}{self._service.prefix}"

    def count_refusals(self) -> dict[str, int]:
        """Return how many requests and connections were refused, by kind."""
        with self._guard:
            return dict(self._refusals)

    def bind(self, port: int = 0) -> str:
        """Take a port, the kernel's choice unless told, and return the base URL; connections wait for `start`."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
            self._listener.setblocking(False)
        return self.url

    def start(self, port: int = 0) -> str:
        """Bind unless bound, serve in the background and return the base URL."""
        url = self.bind(port)
        if self._thread is None and self._listener is not None:
            self._wake, woken = socket.socketpair()
            self._thread = threading.Thread(
                target=self._accept_all, args=(self._listener, woken), name=self._service.name, daemon=True
            )
            self._thread.start()
        return url

    def stop(self) -> None:
        """Stop serving, close every connection and wait for the thread, at most a few seconds. Idempotent."""
        listener, self._listener = self._listener, None
        thread, self._thread = self._thread, None
        if thread is not None and self._wake is not None:
            self._wake.close()
            thread.join(_STOP_SECONDS)
        if listener is not None:
            listener.close()
            self._report_all()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept_all(self, listener: socket.socket, woken: socket.socket) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(woken, select.POLLIN)
        with woken:
            while True:
                if any(descriptor == woken.fileno() for descriptor, _ in poll.poll()):
                    return
                try:
                    connection, peer = listener.accept()
                except BlockingIOError:
                    continue
                except OSError as exc:  # no descriptors left, most likely
                    log.warning("%s cannot accept a connection: %s", self._service.name, exc)
                    time.sleep(_PAUSE_SECONDS)
                    continue
                self._admit(connection, peer)

    def _admit(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        try:
            self._check(connection)
            connection.setblocking(True)
            with self._guard:
                self._open.add(connection)
            threading.Thread(
                target=self._serve, args=(connection, peer), name=f"{self._service.name}-connection", daemon=True
            ).start()
        except Refused as refused:
            self._turn_away(connection, refused)
        except RuntimeError:  # the system has no thread left
            with self._guard:
                self._open.discard(connection)
            self._turn_away(connection, Refused(503, "too_many_threads", "no thread is left for this connection"))

    def _check(self, connection: socket.socket) -> None:
        if not may_connect(find_peer_user(connection)):
            raise Refused(403, "foreign_user", "the twin answers the user who started it, and no other user")
        if len(self._open) >= self._limits.connections:
            raise Refused(
                503, "too_many_connections", f"{self._limits.connections} connections are open: close one, or try later"
            )

    def _turn_away(self, connection: socket.socket, refused: Refused) -> None:
        """Answer without reading the request, and without waiting."""
        self._report(refused)
        response = self._service.render(refused)
        body = response.body if isinstance(response.body, bytes) else b""
        head = f"HTTP/1.1 {refused.status} Refused\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
        with connection, suppress(OSError):
            connection.setblocking(False)
            connection.send(head.encode("latin-1") + b"\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(self._limits.head_bytes)  # what is left unread would reset the connection

    def _serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        try:
            HttpConnection(connection, peer, self._service).serve()
        except OSError as exc:
            log.debug("%s: connection failed: %r", self._service.name, exc)
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()

    def _report_all(self) -> None:
        """Tell how many were refused in all: of a flood, `_report` has told a few."""
        counts = self.count_refusals()
        if counts:
            told = ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))
            log.info("%s refused while it ran: %s", self._service.name, told)

    def _report(self, refused: Refused) -> None:
        """Count, and tell the first of a kind and then one in ten seconds: a flood must not fill the log."""
        now = time.monotonic()
        with self._guard:
            self._refusals[refused.kind] += 1
            count = self._refusals[refused.kind]
            tell = now - self._told.get(refused.kind, -_TELL_SECONDS) >= _TELL_SECONDS
            if tell:
                self._told[refused.kind] = now
        if tell:
            log.warning("%s refused (%d so far): %d %s", self._service.name, count, refused.status, refused)
