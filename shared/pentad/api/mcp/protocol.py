"""Read one message of the Model Context Protocol: JSON-RPC, the revision, and headers that agree with the body.

Two eras are served. Of 2026-07-28 each request stands alone: its ``_meta`` names the revision and what the client can
do, and three headers repeat what is in the body. Of 2025-11-25 and 2025-06-18 a client says ``initialize`` first.
Source: the specification of these revisions, "Base Protocol" and "Transports".
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.reading.json_text import read_strict_json

Json = dict[str, Any]

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18")
"""Revisions that begin with ``initialize``. Those before had batches, which nothing here reads."""
SUPPORTED = (MODERN, *HANDSHAKE)
TASKS = "io.modelcontextprotocol/tasks"
"""The extension of 2026-07-28 for calls that take long."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32020, -32021, -32022
DENIED, THROTTLED, NOT_YET = -32003, -32005, -32007
"""Of our own, in the range that the protocol leaves to implementations."""

PROTOCOL_VERSION, SESSION, METHOD, NAME = "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
_NAMED = {"tools/call": "name", "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId"}
_MAY_LACK_NAME = frozenset(_NAMED) - {"tools/call"}
"""Clients that know the extension only half leave the header out; where it is there, it has to agree."""
_BASE64 = re.compile(r"=\?base64\?(.*)\?=")
_SESSION = re.compile(r"[\x21-\x7e]{1,200}")
_MOST_ID = 200
_STATUS = {
    PARSE_ERROR: HTTPStatus.BAD_REQUEST,
    INVALID_REQUEST: HTTPStatus.BAD_REQUEST,
    INVALID_PARAMS: HTTPStatus.BAD_REQUEST,
    HEADER_MISMATCH: HTTPStatus.BAD_REQUEST,
    MISSING_CAPABILITY: HTTPStatus.BAD_REQUEST,
    UNSUPPORTED_VERSION: HTTPStatus.BAD_REQUEST,
    METHOD_NOT_FOUND: HTTPStatus.NOT_FOUND,
    DENIED: HTTPStatus.FORBIDDEN,
    THROTTLED: HTTPStatus.TOO_MANY_REQUESTS,
}
_ALWAYS = frozenset({PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION, DENIED, THROTTLED})
"""Errors with their HTTP status in the era of sessions too: there, what a method answers is HTTP 200."""


class McpFault(Exception):
    """A request that is answered with a JSON-RPC error.

    Args:
        code: of JSON-RPC or the protocol.
        message: one sentence; no value that was sent.
        data: for programs.
        headers: of the HTTP answer.
    """

    def __init__(
        self, code: int, message: str, data: Json | None = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.data, self.headers = code, message, data, dict(headers or {})

    def get_status(self, *, modern: bool) -> HTTPStatus:
        """Return the HTTP status: in the era of sessions an error of a method is an answer like any other."""
        return _STATUS.get(self.code, HTTPStatus.OK) if modern or self.code in _ALWAYS else HTTPStatus.OK

    def to_body(self, request_id: int | str | None) -> Json:
        """Return the JSON-RPC answer."""
        error: Json = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "id": request_id, "error": error}


@dataclass(frozen=True)
class McpRequest:
    """One message of a client.

    Attributes:
        request_id: JSON-RPC's id; None for a notification.
        method: such as ``tools/call``.
        params: its parameters.
        modern: it is of 2026-07-28.
        session: the session that ``initialize`` gave, where the client has one.
        capabilities: what the client can do; known in each request of 2026-07-28 only.
        client: how the client names itself.
    """

    request_id: int | str | None
    method: str
    params: Json
    modern: bool
    session: str | None = None
    capabilities: Json = field(default_factory=dict)
    client: Any = None

    @property
    def takes_tasks(self) -> bool:
        """The client may be answered with a task."""
        extensions = self.capabilities.get("extensions")
        return isinstance(extensions, dict) and TASKS in extensions

    @property
    def takes_forms(self) -> bool:
        """The client can ask its human with a form."""
        elicitation = self.capabilities.get("elicitation")
        return isinstance(elicitation, dict) and (not elicitation or "form" in elicitation)


def find_request_id(body: Any) -> int | str | None:
    """Return the id of a message for its answer; None where it has none that JSON-RPC allows."""
    given = body.get("id") if isinstance(body, dict) else None
    if isinstance(given, str):
        return given if len(given) <= _MOST_ID else None
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def decode_body(text: str | None) -> Any:
    """Return the body's JSON value.

    Raises:
        McpFault: it is none.
    """
    try:
        return read_strict_json(mend_escapes(text or ""))
    except ValueError as error:
        raise McpFault(PARSE_ERROR, "the body is not valid JSON: send one JSON-RPC message") from error


def parse_request(body: Any, headers: Mapping[str, str]) -> McpRequest:
    """Return the message in a body, checked against the headers.

    Args:
        body: the JSON value.
        headers: by their names in lower case.

    Raises:
        McpFault: it is no message, of a revision that is not served, or disagrees with its headers.
    """
    method, params = _read_envelope(body)
    meta = params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    said = headers.get(PROTOCOL_VERSION)
    notification = "id" not in body
    if notification:
        _check_version(said if said is not None else HANDSHAKE[0])
        return McpRequest(None, method, params, modern=said == MODERN)
    request_id = find_request_id(body)
    if request_id is None:
        raise McpFault(INVALID_REQUEST, f"id must be an integer, or a text of at most {_MOST_ID} characters")
    if META_VERSION in meta or said == MODERN:
        _check_modern(method, params, meta, headers)
        return McpRequest(
            request_id,
            method,
            params,
            modern=True,
            capabilities=meta[META_CAPABILITIES],
            client=meta.get(META_CLIENT),
        )
    if said is not None:
        _check_version(said)
    session = headers.get(SESSION)
    if session is not None and not _SESSION.fullmatch(session):
        raise McpFault(INVALID_REQUEST, f"{SESSION} is not the one that initialize gave")
    return McpRequest(request_id, method, params, modern=False, session=session)


def _read_envelope(body: Any) -> tuple[str, Json]:
    if isinstance(body, list):
        raise McpFault(INVALID_REQUEST, "a batch is not served: send one JSON-RPC message in a request")
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise McpFault(INVALID_REQUEST, "the body is not a JSON-RPC message: it needs 'jsonrpc': '2.0' and 'method'")
    method, params = body.get("method"), body.get("params", {})
    if not isinstance(method, str) or not 0 < len(method) <= _MOST_ID:
        raise McpFault(INVALID_REQUEST, "method must be a text: only requests and notifications are taken here")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise McpFault(INVALID_PARAMS, "params must be an object")
    return method, params


def _check_version(version: str) -> None:
    if version not in SUPPORTED:
        raise McpFault(
            UNSUPPORTED_VERSION,
            "this revision of the protocol is not served",
            {"supported": list(SUPPORTED), "requested": version[:_MOST_ID]},
        )


def _check_modern(method: str, params: Json, meta: Json, headers: Mapping[str, str]) -> None:
    missing = [name for name in (META_VERSION, META_CAPABILITIES) if name not in meta]
    if missing:
        raise McpFault(INVALID_PARAMS, f"params._meta lacks {' and '.join(missing)}")
    version = meta[META_VERSION]
    if headers.get(PROTOCOL_VERSION) is None or headers[PROTOCOL_VERSION] != version:
        raise _make_mismatch(PROTOCOL_VERSION, f"params._meta['{META_VERSION}']")
    if headers.get(METHOD) != method:
        raise _make_mismatch(METHOD, "method")
    key = _NAMED.get(method)
    named = None if key is None else params.get(key)
    if (key is not None and named is None and NAME in headers) or (
        named is not None and not (NAME not in headers and method in _MAY_LACK_NAME)
    ):
        if _decode_header(headers.get(NAME)) != named:
            raise _make_mismatch(NAME, f"params.{key}")
    if not isinstance(version, str):
        raise McpFault(INVALID_PARAMS, f"params._meta['{META_VERSION}'] must be a text")
    _check_version(version)
    if version != MODERN:
        raise McpFault(
            INVALID_PARAMS, f"params._meta names a revision that begins with initialize; it stands for {MODERN}"
        )
    if not isinstance(meta[META_CAPABILITIES], dict):
        raise McpFault(INVALID_PARAMS, f"params._meta['{META_CAPABILITIES}'] must be an object")


def _make_mismatch(header: str, field_name: str) -> McpFault:
    return McpFault(HEADER_MISMATCH, f"the header {header} and the body's {field_name} do not agree: send one value")


def _decode_header(value: str | None) -> str | None:
    """Return a header's value: what a header can't hold as it is comes as base64 between two marks."""
    found = None if value is None else _BASE64.fullmatch(value)
    if found is None:
        return value
    try:
        raw = base64.b64decode(found[1], validate=True)
        return raw.decode() if base64.b64encode(raw).decode() == found[1] else None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
