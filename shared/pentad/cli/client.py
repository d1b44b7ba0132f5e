"""The HTTP API as the command line sees it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

import httpx

from pentad.cli.console import EXIT_UNAVAILABLE, EXIT_USAGE, CommandError, format_error

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 35.0  # the API itself waits at most 30
_UPLOAD_SECONDS = 300.0
_MAX_PAGES = 1_000
_UNAUTHORIZED = 401
_DOTS = frozenset({".", ".."})

Json = dict[str, Any]


class ProblemError(CommandError):
    """The API answered with a problem document.

    Args:
        status: the HTTP status.
        problem: the document.
    """

    def __init__(self, status: int, problem: Json) -> None:
        detail = problem.get("detail") or problem.get("title") or problem.get("message") or "no detail"
        if status == _UNAUTHORIZED and not problem.get("fix"):
            problem = {
                **problem,
                "fix": "the key is wrong or revoked; check PENTAD_KEY or --key with `pentad keys list`",
            }
        super().__init__(f"{status}: {format_error(detail, problem.get('field'), problem.get('fix'))}")
        self.status = status
        self.problem = problem


class ApiClient:
    """A client of one deployment.

    Args:
        url: the API's address, without /v1.
        key: an API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if "_bucket" in vars(self):
            self._bucket.close()

    @cached_property
    def _bucket(self) -> httpx.Client:
        """Sends content, without the key: its connections stay open, as one for each of many documents would not."""
        return httpx.Client(timeout=httpx.Timeout(_UPLOAD_SECONDS, connect=_CONNECT_SECONDS), trust_env=False)

    def call(self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None) -> Json:
        """Send one request and return the answer's JSON.

        Args:
            method: the HTTP method.
            path: such as ``/v1/runs``.
            body: sent as JSON; None for none.
            headers: beside the key.

        Raises:
            ProblemError: the API said no.
            CommandError: nothing answered, or the path would lead elsewhere than it says.
        """
        # An id or a name stands in it as it was typed; a client resolves dots, and would ask for another thing.
        if _DOTS.intersection(unquote(path.partition("?")[0]).split("/")):
            raise CommandError("'.' and '..' can't be part of an id or a name", code=EXIT_USAGE)
        try:
            response = send_request(self._http, method, path, body=body, headers=headers)
        except httpx.HTTPError as error:
            raise CommandError(
                f"{self.url} does not answer ({type(error).__name__}): is the twin running? (`pentad up`)",
                code=EXIT_UNAVAILABLE,
            ) from error
        content = _parse_json(response)
        if response.is_error:
            raise ProblemError(response.status_code, content)
        return content

    def iter_items(
        self,
        path: str,
        ask: Callable[[Callable[[], Json]], Json] = lambda call: call(),
        /,
        *,
        limit: int,
        **query: str | None,
    ) -> Iterator[Json]:
        """Yield the items of a list, page after page, at most ``limit``; ``ask`` makes the request for each page."""
        cursor: str | None = None
        left = limit
        for _ in range(_MAX_PAGES):
            given = {"limit": str(min(left, 100)), "cursor": cursor, **query}
            parameters = httpx.QueryParams({name: value for name, value in given.items() if value is not None})
            page = ask(partial(self.call, "GET", f"{path}?{parameters}"))
            items = page["items"][:left]
            yield from items
            left -= len(items)
            cursor = page.get("cursor")
            if cursor is None or left <= 0:
                return

    def start_run(
        self, agent: str, message: str, *, session_id: str | None, key: str | None, wait: int, **fields: Any
    ) -> Json:
        """Start a run and wait for it at most ``wait`` seconds; ``fields`` are those of the request beside these."""
        body = {"agent": agent, "message": message, "session": session_id, **fields}
        headers = {"Prefer": f"wait={wait}"} | ({"Idempotency-Key": key} if key else {})
        content = {name: value for name, value in body.items() if value is not None}
        return self.call("POST", "/v1/runs", body=content, headers=headers)

    def upload_document(self, name: str, media_type: str, content: bytes) -> None:
        """Store a document under its name; ingest follows by itself.

        Raises:
            ProblemError: the API or the bucket said no.
        """
        body = describe_document(name, media_type, content)
        self.send_upload(name, self.call("POST", "/v1/documents", body=body)["upload"], content)

    def request_uploads(self, documents: Sequence[Json]) -> list[Json]:
        """Return for each document its address or its problem.

        Args:
            documents: as `describe_document` returns them, at most 100.

        Raises:
            ProblemError: the API said no to all.
        """
        answers: list[Json] = self.call("POST", "/v1/bulk-uploads", body={"documents": list(documents)})["documents"]
        return answers

    def send_upload(self, name: str, ticket: Json, content: bytes) -> None:
        """Send a document's content to the address that the API gave for it.

        Raises:
            ProblemError: the bucket said no.
            CommandError: nothing answered.
        """
        try:
            response = self._bucket.request(ticket["method"], ticket["url"], headers=ticket["headers"], content=content)
        except httpx.HTTPError as error:
            raise CommandError(f"uploading '{name}' failed: {type(error).__name__}", code=EXIT_UNAVAILABLE) from error
        if response.is_error:
            raise ProblemError(response.status_code, {"detail": f"the bucket refused '{name}'"})


def send_request(
    http: httpx.Client, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send a request; one that only reads is sent once more where the server has just closed the connection.

    A server closes what was silent for a while. Who takes the connection at that moment can't tell whether the request
    was read: so what may change something is never sent again.

    Raises:
        httpx.HTTPError: nothing answered.
    """
    try:
        return http.request(method, path, json=body, headers=headers)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        if method != "GET":
            raise
        return http.request(method, path, json=body, headers=headers)


def describe_document(name: str, media_type: str, content: bytes) -> Json:
    """Return what the API asks of a document before it gives an address for its content."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "media_type": media_type, "bytes": len(content), "sha256": digest}


def _parse_json(response: httpx.Response) -> Json:
    try:
        content = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return content if isinstance(content, dict) else {"items": content}
