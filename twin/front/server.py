"""The HTTP server of the front: requests as WSGI environments, which is what moto reads."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from twin.front.model import ApiResponse
from twin.servers.admission import Admission
from twin.servers.connection import Limits
from twin.servers.loopback import LoopbackServer
from twin.servers.messages import Fields, Refused, Request, Response, json_response

logger = logging.getLogger(__name__)

LIMITS: Final = Limits(connections=2_048, body_bytes=512 * 1024 * 1024, idle_seconds=120.0, read_seconds=300.0)

Application = Callable[[dict[str, Any], bytes], ApiResponse]
"""Takes the WSGI environment and the whole body."""


class FrontServer:
    """Serves an application on the loopback interface, on a port of the kernel's choice unless told."""

    def __init__(self, application: Application, hosts: Collection[str] = ()) -> None:
        self._application = application
        self._server = LoopbackServer(
            self._serve, name="aws-front", limits=LIMITS, admission=Admission(hosts), render=_render
        )

    @property
    def port(self) -> int:
        """The port.

        Raises:
            RuntimeError: The server is not running.
        """
        return self._server.port

    def start(self, port: int = 0) -> None:
        """Bind and serve in the background."""
        self._server.start(port)

    def stop(self) -> None:
        """Stop serving and close every connection. Idempotent."""
        self._server.stop()

    def _serve(self, request: Request) -> Response:
        try:
            response = self._application(_build_environ(request, self.port), request.body)
        except Exception:  # the boundary: whatever moto raises must answer this request and not end the server
            logger.exception("the front failed to serve %s %s", request.method, request.path)
            response = ApiResponse(500, (("x-amzn-ErrorType", "InternalFailure"),), b'{"__type":"InternalFailure"}')
        return Response(response.status, response.body, fields=response.headers)


def _render(refused: Refused) -> Response:
    name = "RequestEntityTooLarge" if refused.status == 413 else "".join(map(str.title, refused.kind.split("_")))
    return json_response(refused.status, {"__type": name, "message": str(refused)}, {"x-amzn-ErrorType": name})


def _build_environ(request: Request, port: int) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes as Latin-1 characters.
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "REMOTE_ADDR": request.peer[0],
        "REMOTE_PORT": request.peer[1],
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": request.protocol,
    }
    _add_fields(environ, request.fields)
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def _add_fields(environ: dict[str, Any], fields: Fields) -> None:
    """Add header fields; an underscore would make two names one, so it is dropped but in metadata of S3 objects."""
    for name, value in fields:
        if "_" not in name:
            key = environ_key_for_header(name)
            environ[key] = f"{environ[key]},{value}" if key in environ and key.startswith("HTTP_") else value
    kept: dict[str, str] = {}
    for name, value in fields:
        key = environ_key_for_header(name)
        if should_preserve_original_header_name(name) and (key in kept or key not in environ):
            environ[key] = f"{environ[key]},{value}" if key in kept else value
            kept.setdefault(key, name)
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = kept
