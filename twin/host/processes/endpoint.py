"""The Lambda Runtime API for one instance: a listening socket of its own, and just enough HTTP/1.1.

There is no server thread. The thread that runs an invocation reads the instance's requests itself, so a warm
call costs two context switches and not four, and the end of the process is seen as the end of its connection.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_CONNECTIONS: Final = 8
MAX_HEADER_BYTES: Final = 2 * 1024 * 1024  # the runtime client may send 1 MB of X-Ray cause in a header
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
RECV_BYTES: Final = 256 * 1024
SEND_SECONDS: Final = 10.0
PREFIX: Final = "/2018-06-01/runtime/"


class EndpointError(Exception):
    """The process spoke something that is not the Runtime API."""


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One request of the runtime client. `path` is relative to the API's prefix."""

    connection: Connection
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One connection of the instance, with its unread bytes."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a call costs 44 ms without it
        sock.settimeout(SEND_SECONDS)
        self.socket = sock
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str], int] | None = None

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
            EndpointError: The bytes are not HTTP, or larger than any runtime sends.
        """
        if self._head is None and not self._parse_head():
            return None
        assert self._head is not None  # noqa: S101 - narrows the type after _parse_head
        method, path, headers, length = self._head
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return RuntimeRequest(self, method, path, headers, body)

    def _parse_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise EndpointError("request header too large")
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        try:
            method, target, _ = lines[0].split(" ", 2)
            headers = {
                name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])
            }
            length = int(headers.get("content-length") or 0)
        except ValueError as exc:
            raise EndpointError(f"not an HTTP request: {lines[0]!r}") from exc
        if not target.startswith(PREFIX) or "transfer-encoding" in headers or not 0 <= length <= MAX_BODY_BYTES:
            raise EndpointError(f"not a request of the Runtime API: {lines[0]!r}")
        if headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head = (method, target.removeprefix(PREFIX), headers, length)
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

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.socket.close()


class RuntimeEndpoint:
    """The socket that one instance's runtime client talks to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS)
        self._listener.setblocking(False)
        self._connections: dict[int, Connection] = {}
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API has them."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

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
        for connection in list(self._connections.values()):
            request = connection.pop_request()
            if request is not None:
                return request
        return None

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            sock.close()
            return
        self._connections[sock.fileno()] = Connection(sock)
        self._poll.register(sock, select.POLLIN)

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
