"""Neutral messages to Anthropic's Messages API and back: pure.

Sources: the types of anthropic 2.12.0 (`types/message_create_params.py`, `types/message.py`, `types/usage.py`). The
    API has no sampling parameters; whether a model thinks is its own default, and `output_config.effort` says how
    hard.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pentad.domain.messages import (
    CitableText,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    ProviderRaw,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.domain.models import ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import Effort, ModelEntry
from pentad.models.providers.adapters.anthropic_citations import can_cite, encode_result, encode_text, merge_cited
from pentad.models.providers.conversation import ProviderTurn, UniqueCallIds, normalise, render_result
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.providers.strictjson import (
    get_count,
    get_section,
    is_list_of_objects,
    read_count,
    validate_arguments,
)
from pentad.models.providers.tool_schemas import ToolForm, describe_for_claude

NAME = "anthropic"
_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STOPS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.MAX_TOKENS,
    "pause_turn": StopReason.PAUSE,
    "refusal": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_OVERFLOW,
}


def wire_call_id(call_id: str) -> str:
    """Return a call id that the API takes: another provider's may hold characters it refuses. Equal ids stay equal."""
    if _CALL_ID.fullmatch(call_id):
        return call_id
    return f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:24]}"


def encode(
    model: ModelEntry,
    request: ChatRequest,
    *,
    max_output_tokens: int,
    effort: Effort | None = None,
    strict: bool = True,
) -> dict[str, Any]:
    """Return the body of POST /v1/messages; without ``strict`` no tool is in strict mode.

    Where the model caches prompts there are up to four breakpoints (all that the API takes), for the lifetime that the
    request asks: the end of tools, which agents may share; the end of system, which every run of an agent shares; and,
    in a conversation that goes on, the last two user turns: the next request reads up to the newest, and finds the one
    before it where more than 20 blocks (how far the API looks back) came in between. What stands before a breakpoint
    does not depend on what follows it, so it is the same, byte for byte, in the next request.
    """
    body: dict[str, Any] = {
        "model": model.id,
        "max_tokens": max_output_tokens,
        "messages": _make_ids_unique(_encode_messages(normalise(request.messages, NAME), can_cite(model, request))),
    }
    if request.system.strip():
        body["system"] = [{"type": "text", "text": request.system}]
    if request.tools:
        forms = describe_for_claude(request.tools, strict=strict and model.capabilities.structured_output)
        body["tools"] = [_encode_tool(tool.name, form) for tool, form in zip(request.tools, forms, strict=True)]
        if request.tool_choice != "auto":
            body["tool_choice"] = {"type": {"required": "any", "none": "none"}[request.tool_choice]}
    config = _build_output_config(model, request, effort)
    if config:
        body["output_config"] = config
    lifetime = request.prompt_cache or "5m"
    if model.capabilities.prompt_cache and lifetime != "none":
        _mark_cache(body, lifetime, goes_on=bool(request.tools) or len(request.messages) > 1)
    return body


def _encode_tool(name: str, form: ToolForm) -> dict[str, Any]:
    sent: dict[str, Any] = {"name": name, "description": form.description, "input_schema": form.schema}
    return sent if form.strict is None else sent | {"strict": True}


def _build_output_config(model: ModelEntry, request: ChatRequest, effort: Effort | None) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.output_schema is not None:
        config["format"] = {"type": "json_schema", "schema": request.output_schema}
    if effort is not None and model.capabilities.thinking:
        config["effort"] = effort
    return config


def _mark_cache(body: dict[str, Any], lifetime: str, *, goes_on: bool) -> None:
    marked_lists = [body.get("tools"), body.get("system")]
    if goes_on:
        users = [message["content"] for message in body["messages"] if message["role"] == "user"]
        marked_lists.extend(users[-2:])
    for blocks in marked_lists:
        if blocks:
            # Five minutes is the API's own default.
            blocks[-1]["cache_control"] = {"type": "ephemeral", **({"ttl": "1h"} if lifetime == "1h" else {})}


def _encode_messages(turns: Sequence[ProviderTurn], cites: bool) -> list[dict[str, Any]]:
    messages = []
    for turn in turns:
        content: list[dict[str, Any]] = []
        for part in turn.parts:
            content.extend(_encode_blocks(part.blocks, cites) if part.raw is None else _clean_raw(part.raw))
        messages.append({"role": turn.role, "content": content})
    return messages


def _make_ids_unique(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with each call's id once: the API refuses a context in which one stands twice."""
    ids = UniqueCallIds()
    for message in messages:
        message["content"] = [_name_item(item, ids) for item in message["content"]]
    return messages


def _name_item(item: dict[str, Any], ids: UniqueCallIds) -> dict[str, Any]:
    if item.get("type") == "tool_use":
        return {**item, "id": ids.name_call(item["id"])}
    if item.get("type") == "tool_result":
        return {**item, "tool_use_id": ids.name_result(item["tool_use_id"])}
    return item


def _clean_raw(content: list[Any]) -> list[Any]:
    """Return what the API sent, as it came, but for what it does not take back: an empty text, an odd call id."""
    return [
        _clean_raw_item(item) for item in content if item.get("type") != "text" or str(item.get("text", "")).strip()
    ]


def _clean_raw_item(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "id": wire_call_id(str(item.get("id")))} if item.get("type") == "tool_use" else item


def _encode_blocks(blocks: Sequence[ContentBlock], cites: bool) -> Iterator[dict[str, Any]]:
    for block in blocks:
        match block:
            case TextBlock(citable=CitableText() as citable) if cites:
                yield from encode_text(citable)
            case ToolResultBlock(citable=CitableText() as citable) if cites:
                yield _encode_block(block) | {"content": encode_result(block, citable)}
            case _:
                yield _encode_block(block)


def _encode_block(block: ContentBlock) -> dict[str, Any]:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            source = {"type": "base64", "media_type": block.media_type, "data": block.data}
            return {"type": "image", "source": source}
        case DocumentBlock():
            return _encode_document(block)
        case ThinkingBlock(redacted=str(data)):
            return {"type": "redacted_thinking", "data": data}
        case ThinkingBlock():
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case ToolCallBlock():
            name, arguments = block.tool, block.arguments
            return {"type": "tool_use", "id": wire_call_id(block.call_id), "name": name, "input": arguments}
        case ToolResultBlock():
            result = {
                "type": "tool_result",
                "tool_use_id": wire_call_id(block.call_id),
                "content": render_result(block),
            }
            return {**result, "is_error": True} if block.is_error else result


def _encode_document(block: DocumentBlock) -> dict[str, Any]:
    kind = "base64" if block.media_type == "application/pdf" else "text"
    source = {"type": kind, "media_type": block.media_type, "data": block.data}
    titled = {"title": block.title} if block.title else {}
    return {"type": "document", "source": source, **titled}


def decode(
    body: dict[str, Any], *, model: ModelEntry, request_id: str | None, sources: Sequence[str] = ()
) -> ProviderReply:
    """Return the reply in a 200 body.

    Args:
        body: the body.
        model: who was asked.
        request_id: the provider's id of the request.
        sources: of the search results that the request had; their citations become markers.

    Raises:
        ProviderFailure: it is no message.
    """
    content: Any = body.get("content")
    if body.get("type") != "message" or not is_list_of_objects(content):
        raise ProviderFailure(Outcome.MALFORMED, "200 without a message", request_id=request_id)
    if sources:
        content = merge_cited(content, sources)
    blocks: list[ContentBlock] = []
    problems: list[str] = []
    for item in content:
        _read_block(item, blocks, problems)
    stop = _STOPS.get(str(body.get("stop_reason")))
    if stop is None:  # what is on no list of ours is not taken for an end; a whole message has a reason
        usage = _decode_usage(body.get("usage"))
        what = "200 with a reply that broke off"
        raise ProviderFailure(Outcome.MALFORMED, what, request_id=request_id, usage=usage, worked=True)
    return ProviderReply(
        blocks=tuple(blocks),
        stop=stop,
        usage=_decode_usage(body.get("usage")),
        raw=None if problems else ProviderRaw(provider=NAME, model=model.name, content=content),
        request_id=request_id,
        problems=tuple(problems),
    )


def _read_block(item: dict[str, Any], blocks: list[ContentBlock], problems: list[str]) -> None:
    match item:
        case {"type": "text", "text": str(text)}:
            blocks.append(TextBlock(text=text))
        case {"type": "thinking", "thinking": str(text), "signature": str(signature)}:
            blocks.append(ThinkingBlock(text=text, signature=signature, provider=NAME))
        case {"type": "redacted_thinking", "data": str(data)}:
            blocks.append(ThinkingBlock(text="", redacted=data, provider=NAME))
        case {"type": "tool_use", "id": str(call_id), "name": str(name)}:
            arguments, wrong = validate_arguments(item.get("input"))
            if arguments is None:
                problems.append(f"the arguments of {name[:64]} {wrong}")
            elif not 1 <= len(call_id) <= 64:
                problems.append(f"the call of {name[:64]} has no usable id")
            else:
                blocks.append(ToolCallBlock(call_id=call_id, tool=name, arguments=arguments))
        case {"type": "tool_use"}:
            problems.append("a tool call has no name or no id")


def _decode_usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict) or None in (read_count(usage, "input_tokens"), read_count(usage, "output_tokens")):
        return None
    written = get_count(usage, "cache_creation_input_tokens")
    by_lifetime = get_section(usage, "cache_creation")
    hour = get_count(by_lifetime, "ephemeral_1h_input_tokens")
    return Usage(
        input_tokens=get_count(usage, "input_tokens"),
        output_tokens=get_count(usage, "output_tokens"),
        cache_read_tokens=get_count(usage, "cache_read_input_tokens"),
        cache_write_5m_tokens=get_count(by_lifetime, "ephemeral_5m_input_tokens") or max(0, written - hour),
        cache_write_1h_tokens=hour,
        thinking_tokens=get_count(get_section(usage, "output_tokens_details"), "thinking_tokens"),
    )
