"""The socket in front of an HTTP API, with API Gateway's limits."""

import logging
import time
import uuid
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote

from twin.http_api.events import HttpRequest
from twin.http_api.gateway import HttpGateway
from twin.http_api.responses import (
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    INTERNAL,
    TOO_LONG,
    UNAVAILABLE,
    GatewayError,
    HttpResponse,
)
from twin.servers.admission import Admission
from twin.servers.connection import Limits
from twin.servers.loopback import LoopbackServer
from twin.servers.messages import Refused, Request, Response, json_response

logger = logging.getLogger(__name__)

#: API Gateway's limit on a request's body, in bytes.
MAXIMUM_BODY: Final = 10 * 1024 * 1024
#: API Gateway's limit on request line and values of header fields, in bytes.
MAXIMUM_HEADERS: Final = 10_240
LIMITS: Final = Limits(body_bytes=MAXIMUM_BODY, idle_seconds=30.0)
_MESSAGES: Final = {status: (status, text) for status, text in (BAD_REQUEST, TOO_LONG, HEADERS_TOO_LARGE, INTERNAL)}


class HttpApiServer:
    """Binds a port at once, so that the API's URL is known before the API is; `serve` opens the door."""

    def __init__(self, port: int = 0, *, hosts: Collection[str] = ()) -> None:
        self._gateway: HttpGateway | None = None
        self._server = LoopbackServer(
            self._handle,
            name="http-api",
            limits=LIMITS,
            admission=Admission(hosts, self._allows_origin),
            render=_render,
        )
        self.url = self._server.bind(port)

    def serve(self, gateway: HttpGateway) -> None:
        """Start answering."""
        self._gateway = gateway
        self._server.start()

    def stop(self) -> None:
        """Close the port and end the threads."""
        self._server.stop()
        if self._gateway is not None:
            self._gateway.close()

    def _allows_origin(self, origin: str | None) -> bool:
        return self._gateway is not None and self._gateway.allows_origin(origin)

    def _handle(self, request: Request) -> Response:
        try:
            _check_headers(request)
            response = GatewayError(UNAVAILABLE).to_response()
            if self._gateway is not None:
                response = self._gateway.handle(_parse_request(request, self._server.port))
        except GatewayError as error:
            response = error.to_response()
        except Exception:  # boundary: one request must not end its connection, and AWS answers 500 too
            logger.exception("%s %s failed", request.method, request.path)
            response = GatewayError(INTERNAL).to_response()
        return _to_response(response)


def _render(refused: Refused) -> Response:
    """Say it as API Gateway does where it has the limit too, and plainly where only the twin refuses."""
    if refused.status in _MESSAGES:
        return _to_response(GatewayError(_MESSAGES[refused.status]).to_response())
    if refused.status == UNAVAILABLE[0]:
        return _to_response(GatewayError(UNAVAILABLE).to_response())
    return json_response(refused.status, {"message": str(refused)})


def _to_response(response: HttpResponse) -> Response:
    return Response(response.status, response.body, fields=response.headers)


def _check_headers(request: Request) -> None:
    if len(request.target) + sum(len(value) for _, value in request.fields) > MAXIMUM_HEADERS:
        raise GatewayError(HEADERS_TOO_LARGE)


def _parse_request(request: Request, port: int) -> HttpRequest:
    headers = {name: value for name, value in request.headers.items() if "_" not in name}
    source = request.peer[0]
    # API Gateway adds these to every request that it passes on.
    headers["x-forwarded-for"] = ", ".join(filter(None, (headers.get("x-forwarded-for"), source)))
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-forwarded-port", str(port))
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")
    path, _, query = request.target.partition("?")
    return HttpRequest(
        method=request.method,
        path=unquote(path),
        query=query,
        headers={name: value.encode("latin-1").decode("utf-8", "replace") for name, value in headers.items()},
        body=request.body,
        source_ip=source,
        protocol=request.protocol,
        request_id=uuid.uuid4().hex[:16],
    )
