"""The twin's page for a person: the API's documentation to try out, and the functions' logs.

It serves the API's own OpenAPI document with Swagger UI (the copy that Powertools carries) and passes ``/v1`` on to the
API, so that "Try it out" needs no CORS. It adds no credential: whoever tries it out gives a key. The page has an
unguessable address, for it shows logs to whoever opens it.
"""

import importlib.resources
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from pentad.domain.display.pages import embed_json, escape_html, escape_html_line
from twin.servers.admission import Admission
from twin.servers.loopback import LoopbackServer, Request, Response

_PASSED_ON: Final = ("authorization", "content-type", "prefer", "idempotency-key", "accept")
_PASSED_BACK: Final = ("content-type", "location", "preference-applied", "retry-after")
_SECONDS: Final = 35.0
_LOG_LINES: Final = 200
_SAFE: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_TEXT: Final = _SAFE | {"content-type": "text/plain; charset=utf-8"}
_HTML: Final = _SAFE | {"content-type": "text/html; charset=utf-8"}
_NEVER_FRAMED: Final = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Log lines hold what functions, models and documents say: should one get past the escaping, it still runs nothing.
_LOGS: Final = _HTML | {"content-security-policy": f"default-src 'none'; {_NEVER_FRAMED}"}
# Swagger UI has its scripts and styles in the page.
_DOCS: Final = _HTML | {
    "content-security-policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    f"img-src 'self' data:; connect-src 'self'; {_NEVER_FRAMED}"
}

LogReader = Callable[[str, int], list[Mapping[str, Any]]]


class DocsUi:
    """Serves the page.

    Args:
        api_url: the HTTP API's address.
        openapi: reads the OpenAPI document, with a key of the caller's.
        log_groups: lists log groups.
        read_log: reads the newest events of a log group: (name, at most so many) to ``timestamp`` (ms) and ``message``.
        hosts: names of this machine, beside ``localhost``, under which the page may be opened.
    """

    def __init__(
        self,
        api_url: str,
        *,
        openapi: Callable[[], dict[str, Any]],
        log_groups: Callable[[], list[str]],
        read_log: LogReader,
        hosts: Collection[str] = (),
    ) -> None:
        self._api = httpx.Client(base_url=api_url, timeout=_SECONDS, trust_env=False)
        self._openapi = openapi
        self._log_groups = log_groups
        self._read_log = read_log
        self._server = LoopbackServer(self._answer, name="docs-ui", admission=Admission(hosts), private=True)

    def start(self, port: int = 0) -> str:
        """Serve in the background and return the page's address."""
        return self._server.start(port)

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()
        self._api.close()

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/v1/"):
            return self._forward(request)
        if request.method != "GET":
            return Response(405, b"GET only", _TEXT)
        if request.path == "/":
            return Response(200, self._render_page().encode(), _DOCS)
        if request.path == "/logs":
            names = request.query.get("group", [])
            return Response(200, (self._render_log(names[0]) if names else self._render_log_list()).encode(), _LOGS)
        return Response(404, b"not here: / is the API's documentation, /logs the logs", _TEXT)

    def _forward(self, request: Request) -> Response:
        query = httpx.QueryParams([(name, value) for name, values in request.query.items() for value in values])
        try:
            reply = self._api.request(
                request.method,
                request.path,
                params=query,
                content=request.body,
                headers={name: request.headers[name] for name in _PASSED_ON if name in request.headers},
            )
        except httpx.HTTPError as error:
            return Response(502, f"the API does not answer ({type(error).__name__})".encode(), _TEXT)
        kept = _SAFE | {name: reply.headers[name] for name in _PASSED_BACK if name in reply.headers}
        return Response(reply.status_code, reply.content, kept)

    def _render_page(self) -> str:
        from aws_lambda_powertools.event_handler.openapi.swagger_ui.html import generate_swagger_html

        folder = importlib.resources.files("aws_lambda_powertools.event_handler.openapi.swagger_ui")
        document = self._openapi() | {"servers": [{"url": urlsplit(self._server.url).path}]}
        return generate_swagger_html(
            embed_json(document),
            folder.joinpath("swagger-ui-bundle.min.js").read_text(encoding="utf-8"),
            folder.joinpath("swagger-ui.min.css").read_text(encoding="utf-8"),
            "",
            None,
        )

    def _render_log_list(self) -> str:
        links = "".join(
            f'<li><a href="logs?group={quote(name, safe="")}">{escape_html_line(name)}</a></li>'
            for name in self._log_groups()
        )
        return f"<!doctype html><title>Logs</title><h1>Logs</h1><ul>{links}</ul>"

    def _render_log(self, group: str) -> str:
        lines = "\n".join(_render_event(event) for event in self._read_log(group, _LOG_LINES))
        title = escape_html_line(group)
        head = f'<!doctype html><title>{title}</title><h1>{title}</h1><a href="logs">all</a>'
        return f"{head}<pre>{lines}</pre>"


def _render_event(event: Mapping[str, Any]) -> str:
    """Return an event; its further lines, such as a traceback's, are moved in, so that none passes for an event."""
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    first, *more = escape_html(str(event["message"]).rstrip()).split("\n")
    return "\n".join([f"{at:%H:%M:%S.%f} {first}", *(f"                | {line}" for line in more)])
