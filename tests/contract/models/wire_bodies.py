"""Replies of every wire format as bytes, for servers that say what no well-meaning one would."""

import json
from typing import Any

from twin.servers.loopback import Request, Response

JSON = {"content-type": "application/json"}
USAGE = {
    "anthropic": {"input_tokens": 10, "output_tokens": 5},
    "openai": {"input_tokens": 10, "output_tokens": 5},
    "compatible": {"prompt_tokens": 10, "completion_tokens": 5},
}


def provider_of(request: Request) -> str:
    """Return whose request it is: each wire format has its path."""
    if "/chat/completions" in request.path:
        return "compatible"
    if "/model/" in request.path:
        return "bedrock"
    return "openai" if "/responses" in request.path else "anthropic"


def whole(
    provider: str,
    text: str = "",
    calls: tuple[tuple[str, str, str], ...] = (),
    *,
    stop: str = "end",
    usage: bool = True,
) -> bytes:
    """Return a reply.

    Args:
        provider: whose.
        text: its words.
        calls: id, tool and arguments (as they stand on the wire) of tool calls.
        stop: end, tool_calls, max_tokens, refusal, pause_turn, window (Anthropic's names for the last two).
        usage: say what was used.
    """
    form = "anthropic" if provider == "bedrock" else provider
    body = {"anthropic": _anthropic, "openai": _openai, "compatible": _compatible}[form](text, calls, stop)
    counted = json.dumps(USAGE[form] if usage else None)
    return f'{body[:-1]}, "usage": {counted}}}'.encode()


def _anthropic(text: str, calls: tuple[tuple[str, str, str], ...], stop: str) -> str:
    blocks = [json.dumps({"type": "text", "text": text})] if text else []
    for call_id, tool, arguments in calls:
        blocks.append(f'{{"type": "tool_use", "id": "{call_id}", "name": "{tool}", "input": {arguments or "{}"}}}')
    reasons = {"end": "end_turn", "tool_calls": "tool_use", "window": "model_context_window_exceeded"}
    reason = reasons.get(stop, stop)
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": reason}
    return f'{json.dumps(head)[:-1]}, "content": [{", ".join(blocks)}]}}'


def _openai(text: str, calls: tuple[tuple[str, str, str], ...], stop: str) -> str:
    kind = {"refusal": "refusal"}.get(stop, "output_text")
    said = {"type": kind, "refusal" if stop == "refusal" else "text": text or "No."}
    output: list[Any] = []
    if text or stop == "refusal":
        output.append({"type": "message", "role": "assistant", "content": [said]})
    for call_id, tool, arguments in calls:
        output.append({"type": "function_call", "call_id": call_id, "name": tool, "arguments": arguments})
    body: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "completed", "output": output}
    if stop in ("max_tokens", "window"):
        body |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return json.dumps(body)


def _compatible(text: str, calls: tuple[tuple[str, str, str], ...], stop: str) -> str:
    reason = {"end": "stop", "refusal": "content_filter", "max_tokens": "length", "window": "length"}.get(stop, stop)
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": tool, "arguments": arguments}}
            for call_id, tool, arguments in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]})


def ok(provider: str, text: str = "Fine.") -> Response:
    """Return a good reply."""
    return Response(200, whole(provider, text), JSON)


def error(provider: str, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error in the provider's shape; ``kind`` is Anthropic's and OpenAI's type, and Bedrock's in a header."""
    if provider == "bedrock":
        body: dict[str, Any] = {"message": message}
        return Response(status, json.dumps(body).encode(), {**JSON, "x-amzn-errortype": kind, **(headers or {})})
    inner = {"type": kind, "message": message}
    body = {"type": "error", "error": inner} if provider == "anthropic" else {"error": {**inner, "code": kind}}
    return Response(status, json.dumps(body).encode(), {**JSON, **(headers or {})})
