"""OpenAI's responses."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Literal

from twin.simulator.anthropic.reply import split_text
from twin.simulator.anthropic.request import sign
from twin.simulator.neutral import Conversation, Json, Problem, Reply, ToolCall, ToolResult, Turn, Usage
from twin.simulator.openai.chat import REFUSAL
from twin.simulator.openai.wire import (
    MAX_CALL_ID,
    bad_request,
    check_length,
    check_model,
    dump_arguments,
    format_sse,
    is_json_mode,
    join_text,
    read_arguments,
    read_choice,
    read_format,
    read_tools,
)
from twin.simulator.tokens import is_cache_write_billed

MAX_STORED = 256
"""Responses kept for ``previous_response_id``."""

_STATUSES = frozenset(("completed", "failed", "in_progress", "cancelled", "queued", "incomplete"))
_NO_OUTPUT = "No tool output found for function call {}."


class ResponseStore:
    """Earlier responses with their input, so that a request can build on one; safe under threads."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, list[Json]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, response_id: str, items: list[Json]) -> None:
        """Keep a conversation's items."""
        with self._lock:
            self._items[response_id] = items
            while len(self._items) > MAX_STORED:
                self._items.popitem(last=False)

    def resolve_items(self, body: Json) -> list[Json]:
        """Return the request's input behind that of the response it builds on.

        Raises:
            Problem: 400 if that response is unknown.
        """
        raw = body.get("input")
        items = [{"role": "user", "content": raw}] if isinstance(raw, str) else list(raw or ())
        previous = body.get("previous_response_id")
        if not previous:
            return items
        with self._lock:
            earlier = self._items.get(str(previous))
        if earlier is None:
            raise bad_request(
                f"Previous response with id '{previous}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return [*earlier, *items]


def parse(body: Any, items: list[Json]) -> Conversation:
    """Validate and read a request whose items were put together by the store.

    Raises:
        Problem: 400 with OpenAI's wording.
    """
    check_model(body)
    if not items:
        raise bad_request("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    turns, system = _read_turns(items)
    told = str(body.get("instructions") or "")
    tools = read_tools(body.get("tools") or (), nested=False)
    form = (body.get("text") or {}).get("format")
    effort = (body.get("reasoning") or {}).get("effort")
    return Conversation(
        model=body["model"],
        turns=turns,
        system="\n".join(part for part in (str(body.get("instructions") or ""), system) if part),
        tools=tools,
        choice=read_choice(body.get("tool_choice"), tools, parallel=body.get("parallel_tool_calls") is not False),
        schema=read_format(form, "text.format"),
        json_mode=is_json_mode(form, "\n".join((told, system, *(turn.text for turn in turns))), "text.format"),
        thinking=bool(body.get("reasoning")) and effort not in ("none", "minimal"),
        max_tokens=body.get("max_output_tokens"),
        stream=bool(body.get("stream")),
    )


def _read_turns(items: list[Json]) -> tuple[tuple[Turn, ...], str]:
    turns: list[Turn] = []
    system: list[str] = []
    calls: dict[str, ToolCall] = {}
    answered: set[str] = set()
    for index, item in enumerate(items):
        kind = item.get("type") or "message"
        check_length(str(item.get("call_id") or ""), MAX_CALL_ID, f"input[{index}].call_id")
        if kind == "message":
            _read_message(index, item, turns, system)
        elif kind == "function_call":
            call = ToolCall(str(item.get("name")), read_arguments(item.get("arguments")), str(item.get("call_id")))
            calls[call.id] = call
            turns.append(Turn("assistant", calls=(call,)))
        elif kind == "function_call_output":
            call_id = str(item.get("call_id"))
            if call_id not in calls:
                raise bad_request(f"No tool call found for function call output with call_id {call_id}.", param="input")
            answered.add(call_id)
            turns.append(Turn("user", results=(ToolResult(call_id, join_text(item.get("output"))),)))
        elif kind == "reasoning":
            _check_reasoning(item)
        else:
            raise bad_request(f"Invalid value: '{kind}'.", param=f"input[{index}].type")
    missing = [call_id for call_id in calls if call_id not in answered]
    if missing:
        raise bad_request(_NO_OUTPUT.format(missing[0]), param="input")
    return tuple(turns), "\n".join(system)


def _read_message(index: int, item: Json, turns: list[Turn], system: list[str]) -> None:
    role, text = item.get("role"), join_text(item.get("content"))
    if role in ("system", "developer"):
        system.append(text)
    elif role in ("user", "assistant"):
        speaker: Literal["user", "assistant"] = "assistant" if role == "assistant" else "user"
        turns.append(Turn(speaker, text))
    else:
        raise bad_request(f"Invalid value: '{role}'.", param=f"input[{index}].role")


def _check_reasoning(item: Json) -> None:
    content = item.get("encrypted_content")
    if content is not None and content != sign(str(item.get("id"))):
        raise Problem(
            400,
            f"The encrypted content for item {item.get('id')} could not be verified.",
            code="invalid_encrypted_content",
        )


def build_output(reply: Reply, response_id: str) -> list[Json]:
    """Return the reply as output items."""
    seed = hashlib.sha256(response_id.encode()).hexdigest()
    items: list[Json] = []
    if reply.thinking:
        item_id = f"rs_{seed[:32]}"
        summary = [{"type": "summary_text", "text": reply.thinking}]
        items.append({"id": item_id, "type": "reasoning", "summary": summary, "encrypted_content": sign(item_id)})
    cut = reply.stop in ("max_tokens", "context_window_exceeded")
    status = "incomplete" if cut else "completed"
    if reply.text or reply.stop == "refusal":
        part: Json = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        if reply.stop == "refusal":
            part = {"type": "refusal", "refusal": REFUSAL}
        items.append(
            {"id": f"msg_{seed[32:]}", "type": "message", "role": "assistant", "status": status, "content": [part]}
        )
    for index, call in enumerate(reply.calls):
        items.append(
            {
                "id": f"fc_{seed[:28]}{index:04}",
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": dump_arguments(call),
                "status": status,
            }
        )
    return items


def build_response(reply: Reply, body: Json, response_id: str, created: int) -> Json:
    """Return a complete response."""
    cut = reply.stop in ("max_tokens", "context_window_exceeded")
    built: Json = {
        "id": response_id,
        "object": "response",
        "created_at": created,
        "completed_at": None if cut else created,
        "status": _choose_status(reply, cut=cut),
        "error": None,
        "incomplete_details": _describe_end(reply, cut=cut),
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": build_output(reply, response_id),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store") is not False,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "truncation": body.get("truncation") or "disabled",
        "usage": None if reply.omit_usage else _build_usage(reply.usage or Usage(), body["model"]),
    }
    return built


def _choose_status(reply: Reply, *, cut: bool) -> str:
    if reply.raw_stop is None:
        return "incomplete" if cut else "completed"
    return reply.raw_stop if reply.raw_stop in _STATUSES else "incomplete"


def _describe_end(reply: Reply, *, cut: bool) -> Json | None:
    if reply.raw_stop is not None and reply.raw_stop not in _STATUSES:
        return {"reason": reply.raw_stop}
    return {"reason": "max_output_tokens"} if cut else None


def stream_response(reply: Reply, body: Json, response_id: str, created: int) -> Iterator[bytes]:
    """Yield a response as server-sent events."""
    whole = build_response(reply, body, response_id, created)
    opening = {**whole, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    opening["incomplete_details"] = None
    number = 0
    for name, payload in _stream(whole, opening):
        yield format_sse({"type": name, "sequence_number": number, **payload}, name)
        number += 1


def _stream(whole: Json, opening: Json) -> Iterator[tuple[str, Json]]:
    yield "response.created", {"response": opening}
    yield "response.in_progress", {"response": opening}
    for index, item in enumerate(whole["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        started = {**item, "status": "in_progress"}
        if item["type"] == "message":
            yield "response.output_item.added", {"output_index": index, "item": {**started, "content": []}}
            yield from _stream_part(at, item["content"][0])
        elif item["type"] == "function_call":
            yield "response.output_item.added", {"output_index": index, "item": {**started, "arguments": ""}}
            for piece in split_text(item["arguments"]):
                yield "response.function_call_arguments.delta", {**at, "delta": piece}
            yield "response.function_call_arguments.done", {**at, "name": item["name"], "arguments": item["arguments"]}
        else:
            yield "response.output_item.added", {"output_index": index, "item": {**item, "summary": []}}
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{whole['status']}", {"response": whole}


def _stream_part(at: Json, part: Json) -> Iterator[tuple[str, Json]]:
    where = {**at, "content_index": 0}
    if part["type"] == "refusal":
        yield "response.content_part.added", {**where, "part": {**part, "refusal": ""}}
        yield "response.refusal.delta", {**where, "delta": part["refusal"]}
        yield "response.refusal.done", {**where, "refusal": part["refusal"]}
    else:
        yield "response.content_part.added", {**where, "part": {**part, "text": ""}}
        for piece in split_text(part["text"]):
            yield "response.output_text.delta", {**where, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**where, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**where, "part": part}


def _build_usage(usage: Usage, model: str) -> Json:
    written = usage.cache_write if is_cache_write_billed(model) else 0
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.thinking},
        "total_tokens": usage.input + usage.output,
    }
