"""Anthropic's Messages API, the way out: messages, server-sent events and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from twin.simulator.anthropic.request import sign
from twin.simulator.anthropic.search_results import cut_text
from twin.simulator.neutral import Json, Problem, Reply, ToolCall, Usage
from twin.simulator.wire_text import dump_wire

_STOPS = {
    "end": "end_turn",
    "tool_calls": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
    "context_window_exceeded": "model_context_window_exceeded",
}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
MESSAGES = {
    400: "The request is not valid.",
    403: "Your API key does not have permission to use the specified resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit. Please try again later.",
    500: "Internal server error",
    503: "Service temporarily unavailable",
    504: "The request timed out.",
    529: "Overloaded",
}
_PIECE = 24
"""Characters of a streamed delta."""


def build_error(problem: Problem, request_id: str) -> Json:
    """Return an error body."""
    kind = problem.kind or _KINDS.get(problem.status, "api_error" if problem.status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": problem.message}, "request_id": request_id}


def build_message(reply: Reply, model: str, message_id: str, results: Sequence[Json] = ()) -> Json:
    """Return a complete message, which cites the request's search results."""
    body: Json = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_build_block(one) for one in _list_blocks(reply, results)],
        "stop_reason": reply.raw_stop if reply.raw_stop is not None else _STOPS[reply.stop],
        "stop_sequence": reply.stop_sequence,
        "stop_details": _build_stop_details(reply),
        "container": None,
    }
    return body if reply.omit_usage else body | {"usage": _build_usage(reply.usage or Usage())}


def stream_message(reply: Reply, model: str, message_id: str, results: Sequence[Json] = ()) -> Iterator[bytes]:
    """Yield the message as server-sent events."""
    usage = {} if reply.omit_usage else _build_usage(reply.usage or Usage())
    opening = build_message(reply, model, message_id) | {"content": [], "stop_reason": None, "stop_sequence": None}
    opening["stop_details"] = None
    if usage:
        opening["usage"] = usage | {"output_tokens": 1, "output_tokens_details": None}
    yield _format_event("message_start", {"message": opening})
    yield _format_event("ping", {})
    for index, one in enumerate(_list_blocks(reply, results)):
        yield _format_event("content_block_start", {"index": index, "content_block": _build_empty_block(one)})
        for delta in _iter_deltas(one):
            yield _format_event("content_block_delta", {"index": index, "delta": delta})
        yield _format_event("content_block_stop", {"index": index})
    delta = {
        "stop_reason": reply.raw_stop if reply.raw_stop is not None else _STOPS[reply.stop],
        "stop_sequence": reply.stop_sequence,
        "stop_details": _build_stop_details(reply),
        "container": None,
    }
    kept = {"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"}
    kept.add("output_tokens_details")
    final = {key: value for key, value in usage.items() if key in kept}
    yield _format_event(
        "message_delta", {"delta": delta} | ({"usage": final} if final else {"usage": {"output_tokens": 0}})
    )
    yield _format_event("message_stop", {})


def _format_event(name: str, payload: Json) -> bytes:
    return f"event: {name}\ndata: {dump_wire({'type': name, **payload})}\n\n".encode()


def _list_blocks(reply: Reply, results: Sequence[Json]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if reply.thinking:
        found.append(("thinking", reply.thinking))
    if reply.text:
        found.extend(("text", block) for block in cut_text(reply.text, results))
    found.extend(("tool_use", call) for call in reply.calls)
    return found


def _build_block(one: tuple[str, Any]) -> Json:
    kind, value = one
    if kind == "thinking":
        return {"type": "thinking", "thinking": value, "signature": sign(value)}
    if kind == "text":
        return dict(value)
    return {"type": "tool_use", "id": value.id, "name": value.name, "input": _parse_input(value)}


def _parse_input(call: ToolCall) -> Any:
    """Return the input of a call; broken JSON cannot stand in a JSON body, so what is readable of it does."""
    if call.raw_arguments is None:
        return call.arguments
    try:
        return json.loads(call.raw_arguments)
    except (ValueError, RecursionError):
        return {}


def _build_empty_block(one: tuple[str, Any]) -> Json:
    kind, value = one
    if kind == "tool_use":
        return {"type": "tool_use", "id": value.id, "name": value.name, "input": {}}
    if kind == "thinking":
        return _build_block(one) | {"thinking": "", "signature": ""}
    return {"type": "text", "text": "", "citations": [] if value["citations"] else None}


def _iter_deltas(one: tuple[str, Any]) -> Iterator[Json]:
    kind, value = one
    if kind == "tool_use":
        text = (
            value.raw_arguments if value.raw_arguments is not None else json.dumps(value.arguments, ensure_ascii=False)
        )
        for piece in split_text(text):
            yield {"type": "input_json_delta", "partial_json": piece}
    elif kind == "thinking":
        for piece in split_text(value):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": sign(value)}
    else:
        for citation in value["citations"] or ():
            yield {"type": "citations_delta", "citation": citation}
        for piece in split_text(value["text"]):
            yield {"type": "text_delta", "text": piece}


def split_text(text: str) -> Iterator[str]:
    """Cut a text into deltas."""
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def _build_stop_details(reply: Reply) -> Json | None:
    if reply.stop != "refusal":
        return None
    return {"type": "refusal", "category": reply.extra.get("category"), "explanation": reply.extra.get("explanation")}


def _build_usage(usage: Usage) -> Json:
    write = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": usage.input - usage.cache_read - write,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.thinking},
        "server_tool_use": None,
        "service_tier": "standard",
        "inference_geo": None,
    }
