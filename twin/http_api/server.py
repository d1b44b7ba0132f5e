"""The socket in front of an HTTP API: a bounded, threaded server with keep-alive and TCP_NODELAY."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from cheroot.wsgi import Server

from twin.http_api.events import HttpRequest
from twin.http_api.gateway import HttpGateway
from twin.http_api.responses import BAD_REQUEST, INTERNAL, TOO_LONG, UNAVAILABLE, GatewayError, HttpResponse

logger = logging.getLogger(__name__)

#: API Gateway's limit on a request's body, in bytes.
MAXIMUM_BODY = 10 * 1024 * 1024
_IDLE_SECONDS = 30
_THREADS = 32
_QUEUE = 128
_STOP_SECONDS = 5.0

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class HttpApiServer:
    """Binds a port at once, so that the API's URL is known before the API is; `serve` opens the door."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, threads: int = _THREADS) -> None:
        self._gateway: HttpGateway | None = None
        self._server = Server(
            (host, port),
            self._handle,
            numthreads=threads,
            request_queue_size=_QUEUE,
            timeout=_IDLE_SECONDS,
            accepted_queue_size=_QUEUE,
            shutdown_timeout=int(_STOP_SECONDS),
        )
        self._server.prepare()
        self._thread: threading.Thread | None = None
        bound: tuple[str, int] = self._server.bind_addr
        self.url = f"http://{bound[0]}:{bound[1]}"

    def serve(self, gateway: HttpGateway) -> None:
        """Start answering."""
        self._gateway = gateway
        self._thread = threading.Thread(target=self._server.serve, name="http-api", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end the threads."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        if self._gateway is not None:
            self._gateway.close()

    def _handle(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = _parse_request(environ)
            response = GatewayError(UNAVAILABLE).to_response()
            if self._gateway is not None:
                response = self._gateway.handle(request)
        except GatewayError as error:
            response = error.to_response()
        except Exception:  # boundary: one request must not end its worker, and AWS answers 500 too
            logger.exception("%s %s failed", environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
            response = GatewayError(INTERNAL).to_response()
        start_response(_status_line(response), _build_headers(response))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]


def _status_line(response: HttpResponse) -> str:
    try:
        return f"{response.status} {HTTPStatus(response.status).phrase}"
    except ValueError:
        return f"{response.status} Status"  # a number the function chose and no standard names


def _build_headers(response: HttpResponse) -> list[tuple[str, str]]:
    dropped = {"content-length", "transfer-encoding", "connection", "keep-alive"}
    headers = [pair for pair in response.headers if pair[0] not in dropped]
    if response.status not in (204, 304) and response.status >= 200:
        headers.append(("content-length", str(len(response.body))))
    return headers


def _parse_request(environ: Environ) -> HttpRequest:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    source = environ.get("REMOTE_ADDR", "127.0.0.1")
    # API Gateway adds these to every request that it passes on.
    headers["x-forwarded-for"] = ", ".join(filter(None, (headers.get("x-forwarded-for"), source)))
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-forwarded-port", environ["SERVER_PORT"])
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")
    target = environ["REQUEST_URI"]
    path, _, query = target.partition("?")
    if path.startswith(("http://", "https://")):
        path = "/" + path.split("/", 3)[-1]
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        path=unquote(path),
        query=query,
        headers={name: value.encode("latin-1").decode("utf-8", "replace") for name, value in headers.items()},
        body=_read_body(environ),
        source_ip=source,
        protocol=environ["SERVER_PROTOCOL"],
        request_id=uuid.uuid4().hex[:16],
    )


def _read_body(environ: Environ) -> bytes:
    try:
        declared = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise GatewayError(BAD_REQUEST) from error
    if declared > MAXIMUM_BODY:
        _drop_body(environ, declared)
        raise GatewayError(TOO_LONG)
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    # One byte more than allowed tells a longer body; a chunked one declares no length.
    body: bytes = environ["wsgi.input"].read(MAXIMUM_BODY + 1 if chunked else declared)
    if len(body) > MAXIMUM_BODY:
        raise GatewayError(TOO_LONG)
    return body


def _drop_body(environ: Environ, declared: int) -> None:
    """Read and drop an oversized body, up to a bound, so that the client gets to see the answer."""
    left = min(declared, 4 * MAXIMUM_BODY)
    while left > 0:
        read = len(environ["wsgi.input"].read(min(left, 65536)))
        if not read:
            return
        left -= read
