"""A small threaded HTTP server on the loopback interface, for the twin's stand-ins of outside services.

It keeps connections alive, sends with TCP_NODELAY, streams with chunked encoding, and can misbehave on purpose:
cut a stream, reset a connection.
"""

from __future__ import annotations

import json
import logging
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 << 20
MAX_CONNECTIONS = 256
_IDLE_SECONDS = 65.0
_STOP_SECONDS = 5.0


class ConnectionCut(Exception):
    """Raised by a handler or a body iterator to close the connection without finishing the reply."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "cut")
        self.reset = reset


@dataclass(frozen=True)
class Request:
    """One HTTP request, read completely. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: If it is not JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """One HTTP response; an iterator as body is streamed with chunked encoding."""

    status: int
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status, body, {"content-type": "application/json", **(headers or {})})


Handler = Callable[[Request], Response]


class LoopbackServer:
    """Serves one handler on 127.0.0.1 at a port that the kernel picks; each connection has its thread."""

    def __init__(self, handler: Handler, *, name: str) -> None:
        """Bind nothing yet.

        Args:
            handler: Called once per request, from several threads.
            name: Thread name and Server header.
        """
        self._handler = handler
        self._name = name
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL.

        Raises:
            RuntimeError: If the server is not running.
        """
        if self._server is None:
            raise RuntimeError(f"{self._name} is not running")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, port: int = 0) -> str:
        """Bind, serve in the background and return the base URL."""
        if self._server is None:
            self._server = _Server(port, self._handler, self._name)
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(0.05,), name=self._name, daemon=True
            )
            self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop serving, close every connection and wait for the threads, at most a few seconds each."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.close_connections()
        server.server_close()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, handler: Handler, name: str) -> None:
        self.answer = handler
        self.label = name
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a connection's thread, or wait for a slot while too many are open."""
        if not self._slots.acquire(timeout=_IDLE_SECONDS):
            request.close()
            return
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and free its slot."""
        with self._guard:
            known = request in self._open
            self._open.discard(request)
        super().shutdown_request(request)
        if known:
            self._slots.release()

    def close_connections(self) -> None:
        """Wake every connection's thread by closing its socket for reading and writing."""
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a connection's thread raised: usually the client went away."""
        log.debug("connection failed: %r", sys.exception())


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_SECONDS
    server: _Server

    def version_string(self) -> str:
        return self.server.label

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _serve(self) -> None:
        request = self._read()
        if request is None:
            return
        try:
            self._send(self.server.answer(request))
        except ConnectionCut as cut:
            self._drop_connection(reset=cut.reset)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except Exception:  # the boundary: one bad request must not end the server
            log.exception("request failed")
            self._send(json_response(500, {"error": {"type": "api_error", "message": "stand-in failed"}}))

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = _serve

    def _read(self) -> Request | None:
        length = self.headers.get("content-length", "0")
        chunked = "chunked" in self.headers.get("transfer-encoding", "")
        if chunked or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(json_response(413, {"error": {"type": "request_too_large", "message": "too large"}}))
            return None
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if isinstance(response.body, bytes):
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
        else:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in response.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _drop_connection(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:  # with a linger time of zero the kernel sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
