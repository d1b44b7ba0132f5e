"""OpenAI's chat completions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from twin.simulator.anthropic.reply import split_text
from twin.simulator.neutral import Conversation, Json, Reply, ToolCall, ToolResult, Turn, Usage
from twin.simulator.openai.wire import (
    FINGERPRINT,
    MAX_CHAT_CALL_ID,
    bad_request,
    check_length,
    check_model,
    dump_arguments,
    format_sse,
    is_json_mode,
    iter_strings,
    join_text,
    read_arguments,
    read_choice,
    read_format,
    read_tools,
)
from twin.simulator.tokens import is_cache_write_billed

_ROLES = ("system", "developer", "user", "assistant", "tool")
_FINISH = {"max_tokens": "length", "context_window_exceeded": "length", "tool_calls": "tool_calls"}
_NEW_LIMIT = re.compile(r"^(?:gpt-([5-9]|\d\d)|o\d)")
REFUSAL = "I'm sorry, but I cannot help with that request."


def parse(body: Any) -> Conversation:
    """Validate and read a request.

    Raises:
        Problem: 400 with OpenAI's wording.
    """
    check_model(body)
    if body.get("max_tokens") is not None and _NEW_LIMIT.match(body["model"]):
        raise bad_request(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("Invalid 'messages': empty array. Expected an array with minimum length 1.", param="messages")
    turns, system = _read_turns(messages)
    tools = read_tools(body.get("tools") or (), nested=True)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    said = "\n".join((system, *(turn.text for turn in turns)))
    return Conversation(
        model=body["model"],
        turns=turns,
        system=system,
        tools=tools,
        choice=read_choice(body.get("tool_choice"), tools, parallel=body.get("parallel_tool_calls") is not False),
        schema=read_format(body.get("response_format"), "response_format"),
        json_mode=is_json_mode(body.get("response_format"), said, "response_format"),
        max_tokens=limit,
        stop_sequences=tuple(iter_strings(body.get("stop"))),
        stream=bool(body.get("stream")),
    )


def _read_turns(messages: list[Any]) -> tuple[tuple[Turn, ...], str]:
    turns: list[Turn] = []
    system: list[str] = []
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            raise bad_request(
                f"Invalid value: '{role}'. Supported values are: {', '.join(map(repr, _ROLES))}.",
                param=f"messages[{index}].role",
            )
        if role == "tool":
            _add_result(index, message, waiting, turns)
            continue
        _check_answered(waiting, index)
        text = join_text(message.get("content"))
        if role in ("system", "developer"):
            system.append(text)
            continue
        calls = tuple(_read_call(one) for one in message.get("tool_calls") or ())
        for position, call in enumerate(calls):
            check_length(call.id, MAX_CHAT_CALL_ID, f"messages[{index}].tool_calls[{position}].id")
        if message.get("content") is None and not calls and not message.get("refusal"):
            raise bad_request(
                "Invalid value for 'content': expected a string, got null.", param=f"messages[{index}].content"
            )
        waiting = {call.id for call in calls}
        if len(waiting) < len(calls):
            raise bad_request(
                "Duplicate value for 'tool_call_id' found in the message.", param=f"messages[{index}].tool_calls"
            )
        speaker: Literal["user", "assistant"] = "assistant" if role == "assistant" else "user"
        turns.append(Turn(speaker, text, calls))
    _check_answered(waiting, len(messages))
    return tuple(turns), "\n".join(system)


def _add_result(index: int, message: Json, waiting: set[str], turns: list[Turn]) -> None:
    call_id = str(message.get("tool_call_id"))
    if call_id not in waiting:
        raise bad_request(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
            "with 'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    waiting.discard(call_id)
    turns.append(Turn("user", results=(ToolResult(call_id, join_text(message.get("content"))),)))


def _check_answered(waiting: set[str], index: int) -> None:
    if waiting:
        raise bad_request(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}",
            param=f"messages.[{index}].role",
        )


def _read_call(one: Json) -> ToolCall:
    function = one.get("function") or {}
    return ToolCall(str(function.get("name")), read_arguments(function.get("arguments")), str(one.get("id")))


def build_completion(reply: Reply, model: str, completion_id: str, created: int) -> Json:
    """Return a complete chat completion."""
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None, "annotations": []}
    if reply.stop == "refusal":
        message |= {"content": None, "refusal": REFUSAL}
    if reply.calls:
        message["tool_calls"] = [_build_call(call) for call in reply.calls]
    body = _build_head(model, completion_id, created, "chat.completion")
    body["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": _to_finish_reason(reply)}]
    return body if reply.omit_usage else body | {"usage": build_usage(reply.usage or Usage(), model)}


def stream_completion(reply: Reply, model: str, completion_id: str, created: int, body: Json) -> Iterator[bytes]:
    """Yield a chat completion as server-sent events."""
    head = _build_head(model, completion_id, created, "chat.completion.chunk")
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    extra: Json = {"usage": None} if wants_usage else {}

    def format_chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return format_sse({**head, "choices": [choice], **extra})

    yield format_chunk({"role": "assistant", "content": None if reply.calls else "", "refusal": None})
    if reply.stop == "refusal":
        yield format_chunk({"refusal": REFUSAL})
    for piece in split_text(reply.text if reply.stop != "refusal" else ""):
        yield format_chunk({"content": piece})
    for index, call in enumerate(reply.calls):
        opening = _build_call(call)
        opening["function"]["arguments"] = ""
        yield format_chunk({"tool_calls": [{"index": index, **opening}]})
        for piece in split_text(dump_arguments(call)):
            yield format_chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield format_chunk({}, _to_finish_reason(reply))
    if wants_usage and not reply.omit_usage:
        yield format_sse({**head, "choices": [], "usage": build_usage(reply.usage or Usage(), model)})
    yield b"data: [DONE]\n\n"


def build_usage(usage: Usage, model: str) -> Json:
    """Return usage as chat completions report it."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write if is_cache_write_billed(model) else 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.thinking,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _build_head(model: str, completion_id: str, created: int, kind: str) -> Json:
    return {
        "id": completion_id,
        "object": kind,
        "created": created,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _to_finish_reason(reply: Reply) -> str:
    return reply.raw_stop if reply.raw_stop is not None else _FINISH.get(reply.stop, "stop")


def _build_call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": dump_arguments(call)}}
