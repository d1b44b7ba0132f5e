"""The HTTP server of the front: a thread for each connection, kept alive, without Nagle's delay.

A fixed pool of threads would deadlock: a function that waits for a nested call holds one while it waits.
werkzeug's own handler closes every connection and waits 10 ms after each response, so its loop is replaced.
"""

from __future__ import annotations

import io
import logging
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from twin.front.model import ApiResponse

logger = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
MAX_CONNECTIONS: Final = 512
IDLE_SECONDS: Final = 120.0
STOP_SECONDS: Final = 5.0

Application = Callable[[dict[str, Any], bytes], ApiResponse]
"""Takes the WSGI environment and the whole body."""


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: _WsgiServer

    def handle_expect_100(self) -> bool:
        """Let run_wsgi answer once: the base class and werkzeug would each send it."""
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are counted, not logged."""

    def log_error(self, format: str, *args: Any) -> None:
        """A kept connection that idles until its timeout is no error; what is one is logged where it is caught."""

    def run_wsgi(self) -> None:
        """Serve one request of the connection."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        body = self._read_body(environ)
        if body is None:
            self.close_connection = True
            self._send(ApiResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, (), b""))
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            response = self.server.application(environ, body)
        except Exception:  # the boundary: whatever moto raises must answer this request and not end the server
            logger.exception("the front failed to serve %s %s", self.command, self.path)
            response = ApiResponse(500, (("x-amzn-ErrorType", "InternalFailure"),), b'{"__type":"InternalFailure"}')
        self._send(response)

    def _read_body(self, environ: dict[str, Any]) -> bytes | None:
        if environ.get("wsgi.input_terminated"):
            # One read of the raw stream returns one chunk at most.
            body: bytes = io.BufferedReader(environ["wsgi.input"]).read(MAX_BODY_BYTES + 1)
        else:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            if length > MAX_BODY_BYTES:
                return None
            body = self.rfile.read(length)
        return body if len(body) <= MAX_BODY_BYTES else None

    def _send(self, response: ApiResponse) -> None:
        self.send_response(response.status)
        head = self.command == "HEAD"
        for name, value in response.headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server") or (
                head and name.lower() == "content-length"
            ):
                self.send_header(name, value)
        if not head and response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if not head and response.body:
            self.wfile.write(response.body)
        self.wfile.flush()


class _WsgiServer(ThreadedWSGIServer):
    request_queue_size = 128
    block_on_close = False

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__("127.0.0.1", port, lambda *_: [], handler=_Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its own thread, or refuse it past the bound."""
        if not self._slots.acquire(blocking=False):
            request.close()
            return
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and free its place."""
        with self._guard:
            known = request in self._open
            self._open.discard(request)
        super().shutdown_request(request)
        if known:
            self._slots.release()

    def close_connections(self) -> None:
        """End the threads that wait on connections."""
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""
        logger.debug("a connection failed: %r", sys.exception())


class FrontServer:
    """Serves an application on the loopback interface, on a port of the kernel's choice unless told."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._server: _WsgiServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._server is None:
            raise RuntimeError("the front is not running")
        return int(self._server.server_address[1])

    def start(self, port: int = 0) -> None:
        """Bind and serve in the background."""
        if self._server is not None:
            return
        self._server = _WsgiServer(port, self._application)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws-front", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close every connection. Idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.close_connections()
        server.server_close()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
