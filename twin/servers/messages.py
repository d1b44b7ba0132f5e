"""Requests and responses of the twin's HTTP server, and what it refuses by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = tuple[tuple[str, str], ...]
"""Header fields as they came or go: names as written, in order; a name may repeat."""


class ConnectionCut(Exception):
    """Raised by a handler or a body iterator to close the connection without finishing the reply."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "cut")
        self.reset = reset


class Refused(Exception):
    """The server answers a request itself and closes its connection.

    Attributes:
        status: the HTTP status.
        kind: a word for programs, such as ``request_too_large``.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


@dataclass(frozen=True)
class Request:
    """One HTTP request, read completely.

    Attributes:
        path: the path as sent, not decoded.
        headers: values by name in lower case; those of a repeated name are joined by commas.
        target: path and query as sent.
        fields: the header fields as sent.
        peer: address and port of the client.
        protocol: such as ``HTTP/1.1``.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    target: str = ""
    fields: Fields = ()
    peer: tuple[str, int] = ("127.0.0.1", 0)
    protocol: str = "HTTP/1.1"

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: If it is not JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """One HTTP response; an iterator as body is streamed with chunked encoding.

    Attributes:
        fields: header fields beside `headers`, whose names may repeat.
    """

    status: int
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Fields = ()


Handler = Callable[[Request], Response]
RenderRefusal = Callable[[Refused], Response]


def json_response(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair can be escaped, and not encoded
        body = json.dumps(payload, separators=(",", ":")).encode()
    return Response(status, body, {"content-type": "application/json", **(headers or {})})


def render_refusal(refused: Refused) -> Response:
    """Return a refusal in the form in which providers of models tell errors."""
    return json_response(refused.status, {"error": {"type": refused.kind, "message": str(refused)}})
