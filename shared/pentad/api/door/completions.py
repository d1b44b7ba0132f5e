"""The gateway's reply as OpenAI's chat completion, whole or as server-sent events."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pentad.api.door.chat import CompletionRequest
from pentad.api.door.faults import Answer, build_ignored_header, sanitize_header
from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import MalformedReply
from pentad.domain.messages import ToolCallBlock
from pentad.domain.models import ChatReply, StopReason
from pentad.domain.usage import Usage
from pentad.models.providers import strictjson

Json = dict[str, Any]
DECLINED = "The model declined to answer."
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.S | re.I)
_FINISH = {
    StopReason.END: "stop",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.MAX_TOKENS: "length",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT_OVERFLOW: "length",
}


@dataclass(frozen=True)
class _Choice:
    """What the one choice of an answer holds."""

    content: str | None
    calls: tuple[ToolCallBlock, ...]
    finish: str
    refusal: str | None = None


def build_answer(asked: CompletionRequest, reply: ChatReply) -> Answer:
    """Return the answer to a request.

    Raises:
        MalformedReply: a JSON object was asked for, and the reply is none.
    """
    choice = _build_choice(asked, reply)
    head = {
        "id": f"chatcmpl-{reply.message.message_id}",
        "created": int(reply.message.created_at.timestamp()),
        "model": reply.model,
        "system_fingerprint": _fingerprint(reply),
    }
    return _render_answer(asked, head, choice, usage_of(reply.usage), _build_headers(asked, reply))


def build_refusal(asked: CompletionRequest, *, created: int, unique: str) -> Answer:
    """Return the answer where every model declined: a refusal, as OpenAI tells it, and no error."""
    head = {"id": f"chatcmpl-{unique}", "created": created, "model": "none", "system_fingerprint": None}
    return _render_answer(asked, head, _Choice(None, (), "stop", DECLINED), None, build_ignored_header(asked.ignored))


def usage_of(usage: Usage) -> Json:
    """Return OpenAI's counts: its prompt tokens include cached ones, ours do not."""
    prompt = usage.total_tokens - usage.output_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.thinking_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _build_choice(asked: CompletionRequest, reply: ChatReply) -> _Choice:
    text, calls = reply.message.text, reply.message.tool_calls
    choice = _Choice(text or None, calls, _FINISH[reply.stop])
    if asked.json_object and not calls:
        choice = replace(choice, content=_extract_object(text, cut=reply.stop is StopReason.MAX_TOKENS))
    ends = [found for stop in asked.stops if (found := text.find(stop)) >= 0]
    if ends:  # The model would have gone no further, so what came after is not part of its answer.
        return _Choice(text[: min(ends)], (), "stop")
    return replace(choice, calls=calls[:1]) if asked.one_call else choice


def _extract_object(text: str, *, cut: bool) -> str:
    fenced = _FENCE.fullmatch(text)
    inner = fenced[1] if fenced else text
    if cut:
        return inner
    try:
        value = strictjson.read(inner)
    except ValueError as error:
        raise MalformedReply("the reply is not JSON") from error
    found = strictjson.find_problem(value)
    if found:
        raise MalformedReply(f"the JSON of the reply {found}")
    if not isinstance(value, dict):
        raise MalformedReply("the reply is not a JSON object")
    return mend_escapes(inner)


def _fingerprint(reply: ChatReply) -> str:
    return f"fp_{hashlib.sha256(f'{reply.provider}/{reply.model}'.encode()).hexdigest()[:10]}"


def _build_headers(asked: CompletionRequest, reply: ChatReply) -> dict[str, str]:
    headers = build_ignored_header(asked.ignored) | {
        "x-pentad-model": f"{reply.provider}/{reply.model}",
        "x-pentad-cost-nanousd": str(reply.cost_nanousd),
    }
    if reply.notices:
        headers["x-pentad-notice"] = sanitize_header(" ".join(reply.notices))
    return headers


def _build_call(call: ToolCallBlock, asked: CompletionRequest) -> Json:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    function = {"name": asked.names.to_outer(call.tool), "arguments": arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _render_answer(
    asked: CompletionRequest, head: Json, choice: _Choice, usage: Json | None, headers: dict[str, str]
) -> Answer:
    calls = [_build_call(call, asked) for call in choice.calls]
    message: Json = {"role": "assistant", "content": choice.content, "refusal": choice.refusal}
    if asked.stream:
        if calls:
            message["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
        events = _render_events(asked, head, message, choice.finish, usage)
        return Answer("".join(events), media_type="text/event-stream; charset=utf-8", headers=headers)
    if calls:
        message["tool_calls"] = calls
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": choice.finish}]
    body = {**head, "object": "chat.completion", "choices": choices}
    return Answer(dump_json(body | ({"usage": usage} if usage else {})), headers=headers)


def _render_events(asked: CompletionRequest, head: Json, delta: Json, finish: str, usage: Json | None) -> Iterator[str]:
    """Yield the events: all of the answer in one, since an HTTP API gives a body only when it is whole."""
    empty = {"usage": None} if asked.include_usage else {}
    for part, reason in ((delta, None), ({}, finish)):
        choice = {"index": 0, "delta": part, "logprobs": None, "finish_reason": reason}
        yield _render_event({**head, "object": "chat.completion.chunk", "choices": [choice], **empty})
    if asked.include_usage:
        yield _render_event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _render_event(value: Json) -> str:
    return f"data: {dump_json(value)}\n\n"


def dump_json(value: Json) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
