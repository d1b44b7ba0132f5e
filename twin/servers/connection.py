"""One connection of the twin's HTTP server: reads requests, answers them, and keeps to the bounds."""

from __future__ import annotations

import hmac
import logging
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from twin.servers.admission import Admission
from twin.servers.head import END, Head, check_length, parse_head, read_length
from twin.servers.messages import ConnectionCut, Handler, Refused, RenderRefusal, Request, Response

log = logging.getLogger(__name__)

_RECV_BYTES: Final = 256 * 1024
_JOINED_BYTES: Final = 64 * 1024
_CHUNK_LINE_BYTES: Final = 1024
_DROPPED_BYTES: Final = 64 * 1024 * 1024
_DROP_SECONDS: Final = 5.0
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}").fullmatch
_OWN_FIELDS: Final = frozenset(("content-length", "transfer-encoding", "connection", "keep-alive", "server", "date"))


@dataclass(frozen=True)
class Limits:
    """The bounds of one server; what is over them is refused with a status and a line in the log.

    Attributes:
        connections: open connections, each with its thread.
        head_bytes: a request's line and header fields.
        body_bytes: a request's body.
        idle_seconds: how long a connection may be silent, and how long it may take nothing of an answer.
        read_seconds: how long a request may take to arrive.
    """

    connections: int = 256
    head_bytes: int = 64 * 1024
    body_bytes: int = 64 * 1024 * 1024
    idle_seconds: float = 65.0
    read_seconds: float = 60.0


@dataclass(frozen=True)
class Service:
    """What all connections of a server share.

    Attributes:
        prefix: the unguessable path that every request's path begins with, or nothing.
        report: told of each refusal.
    """

    name: str
    handler: Handler
    limits: Limits
    admission: Admission
    render: RenderRefusal
    report: Callable[[Refused], None]
    prefix: str = ""


_FAILED: Final = Refused(500, "api_error", "the server failed: its log says why")


class _Closed(Exception):
    """The client is gone, or was silent for too long between two requests."""


class HttpConnection:
    """Serves one client from one thread."""

    def __init__(self, sock: socket.socket, peer: tuple[str, int], service: Service) -> None:
        self._socket, self._peer, self._service = sock, peer, service
        self._limits = service.limits
        self._buffer = bytearray()
        self._deadline: float | None = None
        self._timeout = service.limits.idle_seconds
        sock.settimeout(self._timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer in two parts waits 40 ms without it

    def serve(self) -> None:
        """Answer requests until one side closes. Closes the socket."""
        try:
            while self._serve_one():
                self._deadline = None
        except (_Closed, OSError) as exc:
            log.debug("%s: connection ended: %r", self._service.name, exc)
        except ConnectionCut as cut:
            if cut.reset:  # with a linger time of zero the kernel sends RST instead of FIN
                with suppress(OSError):
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self._socket.close()

    def _serve_one(self) -> bool:
        """Serve one request; False where the connection ends after it."""
        head: Head | None = None
        try:
            head = self._read_head()
            self._service.admission.check(head)
            request = self._make_request(head, self._read_body(head))
        except Refused as refused:
            self._service.report(refused)
            self._send(self._service.render(refused), head, keep=False)
            self._drop_rest()
            return False
        response, keep = self._answer(request), head.keeps_alive
        try:
            self._send(response, head, keep=keep)
        except ValueError:
            log.exception("%s: %s %s cannot be answered", self._service.name, request.method, request.path)
            self._send(self._service.render(_FAILED), head, keep=keep)
        return keep

    def _answer(self, request: Request) -> Response:
        try:
            return self._service.handler(request)
        except (ConnectionCut, OSError):
            raise
        except Exception:  # the boundary: one bad request must not end the connection without an answer
            log.exception("%s: %s %s failed", self._service.name, request.method, request.path)
            return self._service.render(_FAILED)

    def _make_request(self, head: Head, body: bytes) -> Request:
        target = head.target
        if not target.startswith("/"):
            target = "/" + target.partition("://")[2].partition("/")[2]
        target = self._strip_prefix(target)
        path, _, query = target.partition("?")
        return Request(
            method=head.method,
            path=path,
            query=parse_qs(query, keep_blank_values=True) if query else {},
            headers=head.headers,
            body=body,
            target=target,
            fields=head.fields,
            peer=self._peer,
            protocol=head.protocol,
        )

    def _strip_prefix(self, target: str) -> str:
        prefix = self._service.prefix
        if not prefix:
            return target
        begun, rest = target[: len(prefix)], target[len(prefix) :]
        if not hmac.compare_digest(begun.encode("latin-1"), prefix.encode()) or rest[:1] not in ("", "/", "?"):
            raise Refused(404, "not_found", "nothing is here: use the full address that the twin printed")
        return rest if rest.startswith("/") else f"/{rest}"

    def _read_head(self) -> Head:
        end = self._buffer.find(END)
        while end < 0:
            if len(self._buffer) > self._limits.head_bytes:
                break
            self._fill()
            end = self._buffer.find(END)
        if not 0 <= end <= self._limits.head_bytes:
            raise Refused(
                431,
                "headers_too_large",
                f"request line and header fields have at most {self._limits.head_bytes} bytes together",
            )
        head = parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + len(END)]
        return head

    def _read_body(self, head: Head) -> bytes:
        length = read_length(head, self._limits.body_bytes)
        if head.expects_continue and length != 0 and not self._buffer:
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self._read_chunks() if length is None else self._take(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._read_line(_CHUNK_LINE_BYTES).partition(b";")[0].strip()
            if not _CHUNK_SIZE(size):
                raise Refused(400, "bad_request", f"not the size of a chunk: {size[:40]!r}")
            length = int(size, 16)
            check_length(len(body) + length, self._limits.body_bytes)
            if not length:
                break
            body += self._take(length)
            if self._take(2) != b"\r\n":
                raise Refused(400, "bad_request", "a chunk is longer than its size says")
        left = self._limits.head_bytes
        while line := self._read_line(left):  # trailers, which nothing here needs
            left -= len(line)
        return bytes(body)

    def _read_line(self, most: int) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > most:
                break
            self._fill()
        if not 0 <= end <= most:
            raise Refused(400, "bad_request", "a line of a chunked body is too long")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _take(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._fill()
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def _fill(self) -> None:
        """Read what comes next.

        Raises:
            Refused: 408, where a request takes too long to arrive.
        """
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            self._set_timeout(max(0.001, min(left, self._limits.idle_seconds)))
        try:
            data = self._socket.recv(_RECV_BYTES)
        except TimeoutError:
            if self._deadline is None:
                raise _Closed from None
            self._set_timeout(self._limits.idle_seconds)
            seconds = min(self._limits.read_seconds, self._limits.idle_seconds)
            raise Refused(408, "request_timeout", f"the request did not arrive within {seconds:g} s") from None
        if not data:
            raise _Closed
        self._buffer += data
        if self._deadline is None:
            self._deadline = time.monotonic() + self._limits.read_seconds

    def _set_timeout(self, seconds: float) -> None:
        if seconds != self._timeout:
            self._timeout = seconds
            self._socket.settimeout(seconds)

    def _send(self, response: Response, head: Head | None, *, keep: bool) -> None:
        self._set_timeout(self._limits.idle_seconds)
        asked_for_head = head is not None and head.method == "HEAD"
        bodiless = asked_for_head or response.status < 200 or response.status in (204, 304)
        fields = [*response.headers.items(), *response.fields]
        if not isinstance(response.body, bytes):
            self._stream(response.status, fields, response.body, chunked=head is None or head.protocol != "HTTP/1.0")
            return
        length: object = len(response.body)
        if asked_for_head:  # the length that GET would have
            length = next((value for name, value in fields if name.lower() == "content-length"), length)
        ends = [("Content-Length", str(length))] if asked_for_head or not bodiless else []
        data = self._render_head(response.status, fields, [*ends, *([] if keep else [("Connection", "close")])])
        body = b"" if bodiless else response.body
        if len(body) <= _JOINED_BYTES:
            self._socket.sendall(data + body)
        else:
            self._socket.sendall(data)
            self._socket.sendall(body)

    def _stream(self, status: int, fields: list[tuple[str, str]], pieces: Iterator[bytes], *, chunked: bool) -> None:
        ends = [("Transfer-Encoding", "chunked")] if chunked else [("Connection", "close")]
        self._socket.sendall(self._render_head(status, fields, ends))
        try:
            for piece in pieces:
                if piece:  # an empty chunk would be the last
                    self._socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        except (ConnectionCut, OSError):
            raise
        except Exception:  # the boundary: the status is out already, so the client sees that the answer is cut
            log.exception("%s: a streamed answer failed", self._service.name)
            raise ConnectionCut from None
        if chunked:
            self._socket.sendall(b"0\r\n\r\n")

    def _render_head(self, status: int, fields: list[tuple[str, str]], ends: list[tuple[str, str]]) -> bytes:
        lines = [
            f"HTTP/1.1 {status} {_get_phrase(status)}",
            f"Server: {self._service.name}",
            f"Date: {_format_date(int(time.time()))}",
        ]
        lines += [f"{name}: {value}" for name, value in fields if name.lower() not in _OWN_FIELDS]
        lines += [f"{name}: {value}" for name, value in ends]
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
            raise ValueError("a header field of the answer holds a line break")
        try:
            return text.encode("latin-1") + END
        except UnicodeEncodeError:
            return text.encode() + END

    def _drop_rest(self) -> None:
        """Read on for a moment after a refusal: a client that is still sending would not see the answer."""
        deadline = time.monotonic() + _DROP_SECONDS
        left = _DROPPED_BYTES
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while left > 0 and (seconds := deadline - time.monotonic()) > 0:
                self._set_timeout(seconds)
                dropped = len(self._socket.recv(_RECV_BYTES))
                if not dropped:
                    return
                left -= dropped


@lru_cache(64)
def _get_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"  # a number that no standard names


@lru_cache(2)
def _format_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
