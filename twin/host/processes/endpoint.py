"""The Lambda Runtime API for one instance: a listening socket of its own, and just enough HTTP/1.1.

It stays apart from the twin's HTTP server (`twin.servers`) because there is no server thread: the thread that runs an
invocation reads the instance's requests itself, and the end of the process is seen as the end of its connection. An
invocation takes 2 context switches and 66 us of the host's CPU; through the server it takes 6 and 84 us
(`make bench-servers`, 2026-11-29). How a request's head is read is the server's own code.

The address that the instance gets ends in an unguessable path. What connects and does not ask below that path - a web
page, a port scanner, another user - is turned away, and the instance's calls go on.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from twin.servers.head import END, Head, parse_head, read_length
from twin.servers.messages import Refused
from twin.servers.peers import find_peer_user, may_connect

logger = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 8
MAX_ACCEPTS: Final = 64
MAX_LINE_BYTES: Final = 4096
MAX_HEADER_BYTES: Final = 2 * 1024 * 1024  # the runtime client may send 1 MB of X-Ray cause in a header
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
RECV_BYTES: Final = 256 * 1024
SEND_SECONDS: Final = 10.0
PREFIX: Final = "/2018-06-01/runtime/"
_TOKEN_BYTES: Final = 24
_FORBIDDEN: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class EndpointError(Exception):
    """The process spoke something that is not the Runtime API."""


class StrangerError(Exception):
    """What connected is not the instance: it does not know the path."""


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One request of the runtime client. `path` is relative to the API's prefix."""

    connection: Connection
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One connection, with its unread bytes. It is the instance's once its first request asks below `prefix`."""

    def __init__(self, sock: socket.socket, prefix: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a call costs 44 ms without it
        sock.settimeout(SEND_SECONDS)
        self.socket = sock
        self.known = False
        self._prefix = prefix
        self._buffer = bytearray()
        self._head: tuple[Head, int] | None = None

    def receive(self) -> bool:
        """Read what is there; False at the end of the connection."""
        try:
            data = self.socket.recv(RECV_BYTES)
        except (ConnectionError, TimeoutError):
            return False
        self._buffer += data
        return bool(data)

    def pop_request(self) -> RuntimeRequest | None:
        """Return a complete request if the buffer holds one.

        Raises:
            StrangerError: It is not the instance's.
            EndpointError: The bytes are not HTTP, or larger than any runtime sends.
        """
        if not self.known and not self._recognise():
            return None
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None  # noqa: S101 - narrows the type after _read_head
        head, length = self._head
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return RuntimeRequest(self, head.method, head.target.removeprefix(self._prefix), head.headers, body)

    def _recognise(self) -> bool:
        """Look at the first line alone: a stranger must not make the host read on."""
        end = self._buffer.find(b"\r\n")
        if end < 0 and len(self._buffer) <= MAX_LINE_BYTES:
            return False
        target = bytes(self._buffer[: max(end, 0)]).partition(b" ")[2]
        if not hmac.compare_digest(target[: len(self._prefix)], self._prefix.encode()):
            raise StrangerError
        self.known = True
        return True

    def _read_head(self) -> bool:
        end = self._buffer.find(END)
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise EndpointError("request header too large")
            return False
        try:
            head = parse_head(bytes(self._buffer[:end]))
            length = read_length(head, MAX_BODY_BYTES)
        except Refused as exc:
            raise EndpointError(f"not a request of the Runtime API: {exc}") from exc
        del self._buffer[: end + len(END)]
        if length is None or not head.target.startswith(self._prefix):
            raise EndpointError(f"not a request of the Runtime API: {head.method}")
        if head.expects_continue:
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head = (head, length)
        return True

    def send_response(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer the last request.

        Raises:
            OSError: The process is gone.
        """
        lines = [f"HTTP/1.1 {status} {'OK' if status < 400 else 'Error'}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        self.socket.sendall("\r\n".join(lines).encode("utf-8") + body)

    def turn_away(self) -> None:
        """Say no, as far as that goes without waiting, and close."""
        with contextlib.suppress(OSError):
            self.socket.setblocking(False)
            self.socket.send(_FORBIDDEN)
            self.socket.shutdown(socket.SHUT_WR)
        self.close()

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.socket.close()


class RuntimeEndpoint:
    """The socket that one instance's runtime client talks to."""

    def __init__(self) -> None:
        self._path = f"/{secrets.token_urlsafe(_TOKEN_BYTES)}"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_ACCEPTS)
        self._listener.setblocking(False)
        self._connections: dict[int, Connection] = {}
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)

    @property
    def address(self) -> str:
        """Host, port and path, as AWS_LAMBDA_RUNTIME_API has them for this instance."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}{self._path}"

    def watch(self, descriptor: int) -> None:
        """Also wake for `descriptor`: output of the process, or its end."""
        self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Stop waking for `descriptor`."""
        with contextlib.suppress(KeyError):
            self._poll.unregister(descriptor)

    def wait(self, seconds: float) -> tuple[RuntimeRequest | None, set[int]]:
        """Wait for a request or a watched descriptor; return the request and the descriptors that are ready.

        Raises:
            EndpointError: The process spoke something else.
        """
        pending = self._pop_buffered()
        if pending is not None:
            return pending, set()
        ready: set[int] = set()
        for descriptor, _ in self._poll.poll(max(0, int(seconds * 1000 + 0.999))):
            if descriptor == self._listener.fileno():
                self._accept()
            elif descriptor in self._connections:
                self._read(descriptor)
            else:
                ready.add(descriptor)
        return self._pop_buffered(), ready

    def _pop_buffered(self) -> RuntimeRequest | None:
        for descriptor, connection in list(self._connections.items()):
            try:
                request = connection.pop_request()
            except StrangerError:
                self._turn_away(descriptor)
                continue
            if request is not None:
                return request
        return None

    def _accept(self) -> None:
        """Take all connections that wait; a stranger that says nothing makes room for the next one."""
        for _ in range(MAX_ACCEPTS):
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            connection = Connection(sock, self._path + PREFIX)
            if not may_connect(find_peer_user(sock)) or not self._make_room():
                connection.turn_away()
                continue
            self._connections[sock.fileno()] = connection
            self._poll.register(sock, select.POLLIN)

    def _make_room(self) -> bool:
        if len(self._connections) < MAX_CONNECTIONS:
            return True
        oldest = next((descriptor for descriptor, one in self._connections.items() if not one.known), None)
        if oldest is not None:
            self._turn_away(oldest)
        return oldest is not None

    def _turn_away(self, descriptor: int) -> None:
        logger.warning("something that is not the function asked the Runtime API of a function, and was turned away")
        self._poll.unregister(descriptor)
        self._connections.pop(descriptor).turn_away()

    def _read(self, descriptor: int) -> None:
        connection = self._connections[descriptor]
        if not connection.receive():
            del self._connections[descriptor]
            self._poll.unregister(descriptor)
            connection.close()

    def close(self) -> None:
        """Close every socket."""
        self._listener.close()
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
