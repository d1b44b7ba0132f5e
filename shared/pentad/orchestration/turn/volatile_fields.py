"""Results without what is new in each answer whatever was asked: ids of requests, traces, the time of the answer. Pure.

A tool that is asked the same twice and answers the same has told nothing new, though its server numbers each answer.
Only fields that are about the answer itself are left out. Ids and times of what the answer is about stay: a queue that
hands out another job each time, or a record that was changed meanwhile, is news.
"""

import json
import re
from typing import Any

_NAMES = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "x", "xamzn", "xamz", "amzn", "aws", "http", "response", "server", "api", "mcp", "mcpserver")
    for name in (
        *("requestid", "requestuuid", "requestguid", "reqid", "responseid", "correlationid", "correlationuuid"),
        *("traceid", "tracecontext", "traceparent", "tracestate", "spanid", "xraytraceid", "invocationid"),
        *("operationrequestid", "clientrequestid", "idempotencykey", "nonce", "cfray", "rayid", "etag"),
        *("timestamp", "servertime", "serverdate", "currenttime", "responsetime", "requesttime", "querytime", "asof"),
        *(
            "generatedat",
            "retrievedat",
            "fetchedat",
            "queriedat",
            "checkedat",
            "respondedat",
            "servedat",
            "calculatedat",
        ),
        *("durationms", "latency", "latencyms", "took", "tookms", "processingtime", "processingms", "processingtimems"),
        *("executiontime", "executiontimems", "executionms", "responsems", "responsetimems", "querytimems"),
    )
)
"""Names of fields without case and marks: `X-Request-Id`, `request_id` and `requestId` are one."""

_MARKS = re.compile(r"[^a-z0-9]")
_SAID = re.compile(
    r"\b((?:x[ _-])?(?:amzn?[ _-])?(?:request|correlation|trace|span|response|client[ _-]request)[ _-]?u?u?id|timestamp"
    r"|server[ _-]?time|(?:generated|retrieved|fetched|checked|queried)[ _-]at|as of|latency|request (?:no|number)\.?)"
    r"""["'>]{0,3}\s{0,3}[:=>#]?\s{0,3}["']?[\w.+-]{1,200}(?:[ T]?\d\d:\d\d[\w.:+-]{0,40})?""",
    re.IGNORECASE | re.ASCII,
)
"""The same in a text: `Request ID: 1f-22`, `<requestId>1f</requestId>`, `as of 2026-11-30 10:00`."""
_TOOK = re.compile(r"\b(took|in) \d[\d.,]{0,20} ?(?:ms|s|secs?|seconds?|milliseconds?)\b", re.IGNORECASE | re.ASCII)
_STAMP = re.compile(r"^\W?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:Z+-]{0,20}(?=\W{0,3} \S)", re.MULTILINE | re.ASCII)
"""The time before what a line says, as logs have it."""
_DEPTH = 100
_NESTED_TEXTS = 4
"""A result may hold JSON as a text so deep: MCP's `text`, and a list of them."""


def drop_volatile(content: str) -> str:
    """Return a result for comparison; JSON is written anew, so that order and blanks don't count either."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return _drop_said(content)
    if not isinstance(value, dict | list):
        return content
    return json.dumps(_drop_fields(value, 0), sort_keys=True)


def _drop_fields(value: Any, depth: int) -> Any:
    if depth >= _DEPTH:
        return value
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if _MARKS.sub("", name.lower()) not in _NAMES}
        return {name: _drop_fields(part, depth + 1) for name, part in kept.items()}
    if isinstance(value, list):
        return [_drop_fields(part, depth + 1) for part in value]
    if not isinstance(value, str):
        return value
    return drop_volatile(value) if depth < _NESTED_TEXTS else _drop_said(value)


def _drop_said(text: str) -> str:
    return _STAMP.sub("", _TOOK.sub(r"\1", _SAID.sub(r"\1", text)))
