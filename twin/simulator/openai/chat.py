"""OpenAI's chat completions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from twin.simulator.anthropic.reply import pieces
from twin.simulator.neutral import Conversation, Json, Reply, ToolCall, ToolResult, Turn, Usage
from twin.simulator.openai.wire import (
    FINGERPRINT,
    arguments_text,
    bad,
    check_model,
    read_arguments,
    read_choice,
    read_format,
    read_tools,
    sse,
    strings,
    text_of,
)
from twin.simulator.tokens import bills_cache_writes

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
        raise bad(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad("Invalid 'messages': empty array. Expected an array with minimum length 1.", param="messages")
    turns, system = _turns(messages)
    tools = read_tools(body.get("tools") or (), nested=True)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Conversation(
        model=body["model"],
        turns=turns,
        system=system,
        tools=tools,
        choice=read_choice(body.get("tool_choice"), tools, parallel=body.get("parallel_tool_calls") is not False),
        schema=read_format(body.get("response_format"), "response_format"),
        max_tokens=limit,
        stop_sequences=tuple(strings(body.get("stop"))),
        stream=bool(body.get("stream")),
    )


def _turns(messages: list[Any]) -> tuple[tuple[Turn, ...], str]:
    turns: list[Turn] = []
    system: list[str] = []
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            raise bad(
                f"Invalid value: '{role}'. Supported values are: {', '.join(map(repr, _ROLES))}.",
                param=f"messages[{index}].role",
            )
        if role == "tool":
            _add_result(index, message, waiting, turns)
            continue
        _all_answered(waiting, index)
        text = text_of(message.get("content"))
        if role in ("system", "developer"):
            system.append(text)
            continue
        calls = tuple(_call(one) for one in message.get("tool_calls") or ())
        if message.get("content") is None and not calls and not message.get("refusal"):
            raise bad("Invalid value for 'content': expected a string, got null.", param=f"messages[{index}].content")
        waiting = {call.id for call in calls}
        speaker: Literal["user", "assistant"] = "assistant" if role == "assistant" else "user"
        turns.append(Turn(speaker, text, calls))
    _all_answered(waiting, len(messages))
    return tuple(turns), "\n".join(system)


def _add_result(index: int, message: Json, waiting: set[str], turns: list[Turn]) -> None:
    call_id = str(message.get("tool_call_id"))
    if call_id not in waiting:
        raise bad(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
            "with 'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    waiting.discard(call_id)
    turns.append(Turn("user", results=(ToolResult(call_id, text_of(message.get("content"))),)))


def _all_answered(waiting: set[str], index: int) -> None:
    if waiting:
        raise bad(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}",
            param=f"messages.[{index}].role",
        )


def _call(one: Json) -> ToolCall:
    function = one.get("function") or {}
    return ToolCall(str(function.get("name")), read_arguments(function.get("arguments")), str(one.get("id")))


def completion(reply: Reply, model: str, completion_id: str, created: int) -> Json:
    """Return a complete chat completion."""
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None, "annotations": []}
    if reply.stop == "refusal":
        message |= {"content": None, "refusal": REFUSAL}
    if reply.calls:
        message["tool_calls"] = [_call_json(call) for call in reply.calls]
    body = _head(model, completion_id, created, "chat.completion")
    body["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}]
    return body if reply.omit_usage else body | {"usage": usage_json(reply.usage or Usage(), model)}


def chunks(reply: Reply, model: str, completion_id: str, created: int, body: Json) -> Iterator[bytes]:
    """Yield a chat completion as server-sent events."""
    head = _head(model, completion_id, created, "chat.completion.chunk")
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    extra: Json = {"usage": None} if wants_usage else {}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse({**head, "choices": [choice], **extra})

    yield chunk({"role": "assistant", "content": None if reply.calls else "", "refusal": None})
    if reply.stop == "refusal":
        yield chunk({"refusal": REFUSAL})
    for piece in pieces(reply.text if reply.stop != "refusal" else ""):
        yield chunk({"content": piece})
    for index, call in enumerate(reply.calls):
        opening = _call_json(call)
        opening["function"]["arguments"] = ""
        yield chunk({"tool_calls": [{"index": index, **opening}]})
        for piece in pieces(arguments_text(call)):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _finish(reply))
    if wants_usage and not reply.omit_usage:
        yield sse({**head, "choices": [], "usage": usage_json(reply.usage or Usage(), model)})
    yield b"data: [DONE]\n\n"


def usage_json(usage: Usage, model: str) -> Json:
    """Return usage as chat completions report it."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write if bills_cache_writes(model) else 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.thinking,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(model: str, completion_id: str, created: int, kind: str) -> Json:
    return {
        "id": completion_id,
        "object": kind,
        "created": created,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _finish(reply: Reply) -> str:
    return _FINISH.get(reply.stop, "stop")


def _call_json(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
