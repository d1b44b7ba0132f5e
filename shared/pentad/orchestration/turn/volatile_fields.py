"""Results without what is new in each answer whatever was asked: ids of requests, traces, the time of the answer. Pure.

A tool that is asked the same twice and answers the same has told nothing new, though its server numbers each answer.
Only fields that are about the answer itself are left out. Ids and times of what the answer is about stay: a queue that
hands out another job each time, or a record that was changed meanwhile, is news.

A name alone does not tell which of both a field is: an answer has a `timestamp`, and so has each reading in it. So a
name counts where the answer speaks of itself: at its top, in its `meta`, `headers` or `error`, and there again where it
is wrapped (`result`, `body`, a text that holds JSON). In the records below stays what they hold, but for names that a
server gives to nothing else (`X-Amzn-Trace-Id`, `fetched_at`). An `etag` stays everywhere: it changes with its record.
"""

import json
import re
from collections import Counter
from typing import Any

from pentad.domain.reading.json_text import read_json

_IDS = (
    *("requestid", "requestuuid", "requestguid", "reqid", "responseid", "correlationid", "correlationuuid", "traceid"),
    *("spanid", "xraytraceid", "invocationid", "operationrequestid", "clientrequestid"),
)
_SENDERS = ("x", "xamzn", "xamz", "amzn", "aws", "http", "server", "api", "mcp", "mcpserver")
_ANYWHERE = frozenset(
    (
        *(f"{sender}{name}" for sender in _SENDERS for name in _IDS),
        *("traceparent", "tracestate", "tracecontext", "xraytraceid", "cfray", "rayid"),
        *("servertime", "serverdate", "servertimestamp", "responsetime", "responsetimestamp", "responsetimems"),
        *("responsems", "querytime", "querytimems", "requesttime", "processingtime", "processingms"),
        *("processingtimems", "retrievedat", "fetchedat", "queriedat", "respondedat", "servedat"),
    )
)
"""Names of fields that are about an answer wherever they stand; without case and marks, `X-Request-Id` is one."""
_AT_TOP = _ANYWHERE | frozenset(
    (
        *(f"{sender}{name}" for sender in ("", "response") for name in _IDS),
        *(f"{sender}{name}" for sender in ("", *_SENDERS) for name in ("timestamp", "currenttime", "idempotencykey")),
        *("nonce", "asof", "generatedat", "checkedat", "calculatedat"),
        *("durationms", "latency", "latencyms", "took", "tookms", "executiontime", "executiontimems", "executionms"),
    )
)
"""And those that are about the answer where it speaks of itself. `request_id` and `requestId` are one."""
_OF_ANSWERS = frozenset(
    (
        *("result", "response", "output", "body", "text", "content", "structuredcontent"),
        *("meta", "metadata", "responsemetadata", "header", "headers", "httpheaders", "httpresponse"),
        *("requestcontext", "debug", "diagnostics", "timing", "timings", "error", "errors", "fault"),
    )
)
"""Names under which an answer wraps another, or speaks of itself."""

_MARKS = re.compile(r"[^a-z0-9]")
_SAID = re.compile(
    r"\b(?P<name>(?:x[ _-])?(?:amzn?[ _-])?(?:request|correlation|trace|span|response|client[ _-]request)[ _-]?u?u?id"
    r"|timestamp|server[ _-]?time|(?:generated|retrieved|fetched|checked|queried)[ _-]at|as of|latency"
    r"|request (?:no|number)\.?)"
    r"""["'>]{0,3}\s{0,3}[:=>#]?\s{0,3}["']?[\w.+-]{1,200}(?::\d[\w.:+-]{0,40}|[ T]?\d\d:\d\d[\w.:+-]{0,40})?""",
    re.IGNORECASE | re.ASCII,
)
"""The same in a text: `Request ID: 1f-22`, `<requestId>1f</requestId>`, `as of 2026-11-30 10:00`."""
_TOOK = re.compile(
    r"\b(?P<name>took|in) \d[\d.,]{0,20} ?(?:ms|s|secs?|seconds?|milliseconds?)\b", re.IGNORECASE | re.ASCII
)
_STAMP = re.compile(
    r"^(?P<name>\W?)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:Z+-]{0,20}(?=\W{0,3} \S)", re.MULTILINE | re.ASCII
)
"""The time before what a line says, as logs have it."""
_DEPTH = 100
_NESTED_TEXTS = 4
"""A result may hold JSON as a text so deep: MCP's `text`, and a list of them."""


def drop_volatile(content: str) -> str:
    """Return a result for comparison; JSON is written anew, so that order and blanks don't count either."""
    return _drop_of_text(content, 0)


def _drop_of_text(text: str, depth: int) -> str:
    try:
        value = read_json(text)
    except ValueError:
        return _drop_said(text)
    if not isinstance(value, dict | list):
        return text
    return json.dumps(_drop_fields(value, depth, of_answer=True), sort_keys=True)


def _drop_fields(value: Any, depth: int, *, of_answer: bool) -> Any:
    """Return a value without fields about the answer; ``of_answer``: it is the answer itself, and no record in it."""
    if depth >= _DEPTH:
        return value
    if isinstance(value, dict):
        plain = {name: _MARKS.sub("", name.lower()) for name in value}
        return {
            name: _drop_fields(
                part, depth + 1, of_answer=of_answer and (isinstance(part, str) or plain[name] in _OF_ANSWERS)
            )
            for name, part in value.items()
            if plain[name] not in (_AT_TOP if of_answer else _ANYWHERE)
        }
    if isinstance(value, list):
        parts = of_answer and all(isinstance(part, str) or _is_content(part) for part in value)
        return [_drop_fields(part, depth + 1, of_answer=parts) for part in value]
    if not (isinstance(value, str) and of_answer):
        return value
    return _drop_of_text(value, depth) if depth < _NESTED_TEXTS else _drop_said(value)


def _is_content(part: Any) -> bool:
    """Tell whether an entry of a list is a part of what was said, as MCP has it: ``{"type": "text", "text": ...}``."""
    return isinstance(part, dict) and isinstance(part.get("type"), str) and isinstance(part.get("text"), str)


def _drop_said(text: str) -> str:
    """Leave out what a text says once of itself; what it says again and again is of what it lists."""
    for pattern in (_SAID, _TOOK, _STAMP):
        found = list(pattern.finditer(text))
        said = Counter(_read_name(match) for match in found)
        for match in reversed(found):
            if said[_read_name(match)] == 1:
                text = text[: match.start()] + match["name"] + text[match.end() :]
    return text


def _read_name(match: re.Match[str]) -> str:
    return _MARKS.sub("", match["name"].lower())
