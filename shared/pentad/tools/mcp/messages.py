"""Messages to a remote server, and what its answers are: JSON, or a stream of events that holds one answer.

A server is not trusted: an answer of another request, of no known form, or with more than was asked for is refused.
"""

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import ToolFailed
from pentad.domain.reading.json_text import read_strict_json
from pentad.tools.outside.ports import HttpAnswer

Json = dict[str, Any]
MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
CLIENT = {"name": "pentad", "version": "1"}
METHOD_NOT_FOUND, INVALID_PARAMS, MISSING_CAPABILITY, UNSUPPORTED_VERSION = -32601, -32602, -32021, -32022
_ACCEPT = "application/json, text/event-stream"
_MESSAGE = 500
_UNAUTHORISED, _THROTTLED = 401, 429
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_WRAPPED = re.compile(r"=\?base64\?.*\?=")
_MOST_EVENTS = 10_000
_HEAD = 100
_LINES = (b"data:", b"event:", b"id:", b"retry:", b":")
"""What a line of a stream of events begins with; no JSON does."""
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_ASKS = {
    "sampling/createMessage": "to ask a model for it",
    "elicitation/create": "to ask its user",
    "roots/list": "for the folders of its user",
}


class RemoteError(Exception):
    """The server answered with an error of JSON-RPC.

    Args:
        code: of JSON-RPC.
        message: the server's words, bounded.
        data: what it adds.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class SessionGone(Exception):
    """The server does not know the session any more; nothing was done."""


class EventWatch:
    """Tells from a stream of events, as it comes, that no more of it is needed.

    A server may keep the stream open after its answer, or ask its client for something and wait: nothing follows then.
    Each event is looked at once, however long the stream is.

    Args:
        request_id: whose answer is waited for.
    """

    def __init__(self, request_id: int | None) -> None:
        self._request_id = request_id
        self._seen = 0

    def __call__(self, content: bytes) -> bool:
        """Tell whether the answer, or a question of the server's, is in the content so far."""
        if self._request_id is None or not content[:_HEAD].lstrip().startswith(_LINES):
            return False
        ends = [match.end() for match in _EVENT_END.finditer(content, self._seen)]
        if not ends:
            return False
        text = content[self._seen : ends[-1]].decode("utf-8", "replace")
        self._seen = ends[-1]
        found = [message for event in _iter_events(text) if (message := _parse(event)) is not None]
        return any("id" in one and ("method" in one or _is_id(one["id"], self._request_id)) for one in found)


def build_request(method: str, params: Json, request_id: int, *, modern: bool) -> Json:
    """Return a request of either era."""
    if modern:
        meta = {META_VERSION: MODERN, META_CAPABILITIES: {}, META_CLIENT: CLIENT}
        params = {**params, "_meta": meta}
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def build_headers(method: str, params: Json, *, version: str | None, session_id: str | None) -> dict[str, str]:
    """Return the headers of a request.

    Args:
        method: of JSON-RPC.
        params: the parameters; a tool's name is repeated in a header.
        version: the revision; None before one was agreed on.
        session_id: that the server gave; None without one.
    """
    headers = {"Accept": _ACCEPT}
    if version is not None:
        headers["MCP-Protocol-Version"] = version
    if session_id is not None:
        headers["Mcp-Session-Id"] = session_id
    if version == MODERN:
        headers["Mcp-Method"] = method
        if method == "tools/call":
            headers["Mcp-Name"] = encode_header(str(params["name"]))
    return headers


def build_argument_headers(pinned: Mapping[str, str], arguments: Json) -> dict[str, str]:
    """Return the headers that repeat arguments, as the tool's schema asks for."""
    found = {}
    for path, header in pinned.items():
        value: Any = arguments
        for part in path.split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool):
            found[f"Mcp-Param-{header}"] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[f"Mcp-Param-{header}"] = encode_header(str(value))
    return found


def encode_header(value: str) -> str:
    """Return a value as a header can hold it: what is no plain text as base64 between two marks."""
    if _VISIBLE.fullmatch(value) and value == value.strip() and not _WRAPPED.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="


def read_answer(answer: HttpAnswer, request_id: int, *, session_id: str | None) -> Json:
    """Return the result in an answer.

    Args:
        answer: of the server.
        request_id: that was asked with.
        session_id: that was asked in.

    Raises:
        RemoteError: the server answered with an error.
        SessionGone: it does not know the session any more.
        ToolThrottled: it asks to wait, and did nothing.
        ToolUnavailable: it is out of order, or asks to wait after something was done.
        ToolFailed: it refuses the credential, or what it answered is no answer.
    """
    if answer.status == 404 and session_id is not None:
        raise SessionGone
    if answer.status in (_UNAUTHORISED, _THROTTLED):  # whatever the body says
        _check_status(answer)
    message = _find_message(answer, request_id)
    if message is not None and "error" in message:
        raise _read_error(message["error"])
    _check_status(answer)
    result = None if message is None else message.get("result")
    if not isinstance(result, dict):
        raise ToolFailed("the MCP server's answer is not valid MCP")
    return result


def _find_message(answer: HttpAnswer, request_id: int) -> Json | None:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return _find_event(answer.text, request_id)
    if kind != "application/json":
        return None
    found = _parse(answer.text)
    if found is None or found.get("jsonrpc") != "2.0":
        return None
    # An error that came before the id was read has none.
    return found if _is_id(found.get("id"), request_id) or ("error" in found and found.get("id") is None) else None


def _find_event(text: str, request_id: int) -> Json | None:
    """Return the one answer in a stream of events; what the server tells or asks meanwhile is passed over.

    Raises:
        ToolFailed: it asks for something instead of answering.
    """
    asked: str | None = None
    for event in itertools.islice(_iter_events(text), _MOST_EVENTS):
        found = _parse(event)
        if found is None or found.get("jsonrpc") != "2.0":
            continue
        if "method" in found:
            asked = str(found["method"]) if "id" in found else asked
        elif _is_id(found.get("id"), request_id):
            return found
    if asked is not None:
        raise ToolFailed(describe_ask(asked))
    return None


def _iter_events(text: str) -> Iterator[str]:
    """Yield the data of each event. Lines end as the format says: other separators are a part of the data."""
    lines: list[str] = []
    for line in re.split(r"\r\n|\n|\r", text):
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def describe_ask(method: str) -> str:
    """Return what a model is told of a server that wants something of its client."""
    what = _ASKS.get(method, "for something that is not supported")
    return f"the MCP server asks its client {what}, and that is refused: give all that the tool needs as arguments"


def _parse(text: str) -> Json | None:
    try:
        found = read_strict_json(mend_escapes(text))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_id(given: object, request_id: int) -> bool:
    return not isinstance(given, bool) and given in (request_id, str(request_id))


def _read_error(error: Any) -> RemoteError:
    found = error if isinstance(error, dict) else {}
    code, message = found.get("code"), found.get("message")
    return RemoteError(
        code if isinstance(code, int) and not isinstance(code, bool) else 0,
        message[:_MESSAGE] if isinstance(message, str) else "it gave no reason",
        found.get("data"),
    )


def _check_status(answer: HttpAnswer) -> None:
    if answer.status in (_UNAUTHORISED, 403):
        raise ToolFailed(
            f"the MCP server refuses the credential ({answer.status})", fix="store one that is valid, see mcp.yaml"
        )
    if answer.check("the MCP server").status >= 300:
        raise ToolFailed(f"the MCP server answered with status {answer.status}, not MCP")
