"""Neutral messages to OpenAI's Responses API and back: pure.

Responses and not chat completions: it is what the SDK's own README calls the primary API (openai 3.54.0), it is the
one that gives reasoning back (``encrypted_content``) so that a stateless caller can return it with the tool results,
and its usage tells cache writes by lifetime. All of it works with ``store=False``: nothing of a conversation stays at
the provider.

Sources: `types/responses/response_create_params.py`, `response_input_item_param.py`, `response_usage.py`,
    `response_error.py`.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.messages import (
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
from pentad.models.providers.conversation import ProviderTurn, UniqueCallIds, normalise, render_result
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import FAILED, OPENAI, FailureSignal, classify, find_reason
from pentad.models.providers.strictjson import get_count, get_section, is_list_of_objects, read_count
from pentad.models.providers.strictjson import read_arguments as read_arguments
from pentad.models.providers.tool_schemas import ToolForm, describe_for_openai

NAME = "openai"
_MIN_OUTPUT_TOKENS = 16  # the API refuses a smaller cap
_SCHEMA_NAME = "reply"
_INCOMPLETE = {"max_output_tokens": StopReason.MAX_TOKENS, "content_filter": StopReason.REFUSAL}
"""Why a response may be incomplete and still be one; with another reason, or none, it broke off."""


def encode(
    model: ModelEntry,
    request: ChatRequest,
    *,
    max_output_tokens: int,
    effort: Effort | None = None,
    strict: bool = True,
) -> dict[str, Any]:
    """Return the body of POST /v1/responses; without ``strict`` no tool is in strict mode.

    ``prompt_cache_key`` sends an agent's requests of one tenant to the same cache; its prefix is stable by
    construction, and OpenAI sets a breakpoint at its end by itself.
    """
    body: dict[str, Any] = {
        "model": model.id,
        "input": _make_ids_unique(_encode_items(normalise(request.messages, model.provider))),
        "max_output_tokens": max(_MIN_OUTPUT_TOKENS, max_output_tokens),
        "store": False,
    }
    if request.system.strip():
        body["instructions"] = request.system
    if request.tools:
        forms = describe_for_openai(request.tools, strict=strict and model.capabilities.structured_output)
        body["tools"] = [_encode_tool(tool.name, form) for tool, form in zip(request.tools, forms, strict=True)]
        body["tool_choice"] = request.tool_choice
    if request.output_schema is not None:
        body["text"] = {"format": _build_format(request.output_schema)}
    if model.capabilities.thinking:
        body["include"] = ["reasoning.encrypted_content"]
        if effort is not None:
            body["reasoning"] = {"effort": effort}
    if model.capabilities.prompt_cache:
        body.update(_build_cache_options(model, request))
    return body


def _build_cache_options(model: ModelEntry, request: ChatRequest) -> dict[str, Any]:
    lifetime = request.prompt_cache or "5m"
    # GPT-5.6 brought both the options and a price for cache writes: a model without that price knows no options.
    has_options = model.prices.cache_write_5m > 0
    if lifetime == "none":  # without a breakpoint of ours, and without the implicit one, nothing is written
        return {"prompt_cache_options": {"mode": "explicit"}} if has_options else {}
    who = f"{request.context.tenant_id}\x00{request.context.agent or request.task}"
    key = {"prompt_cache_key": hashlib.sha256(who.encode()).hexdigest()[:32]}
    # Its lifetimes are 30 minutes, the default, and 12 hours: our short and our long one.
    return {**key, "prompt_cache_options": {"ttl": "12h"}} if lifetime == "1h" and has_options else key


def _encode_tool(name: str, form: ToolForm) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": form.description,
        "parameters": form.schema,
        "strict": form.strict is not None,
    }


def _build_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "name": _SCHEMA_NAME, "schema": schema, "strict": is_strict_schema(schema)}


_COMPOSITION = frozenset("oneOf allOf not dependentRequired dependentSchemas if patternProperties".split())


def is_strict_schema(schema: Any) -> bool:
    """Tell if strict mode takes a schema: every object is closed, all of its properties are required, only anyOf."""
    if isinstance(schema, list):
        return all(is_strict_schema(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if _COMPOSITION & schema.keys():
        return False
    if schema.get("type") == "object" or "properties" in schema:
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("properties", {})) != set(schema.get("required", [])):
            return False
    return all(is_strict_schema(value) for value in schema.values())


def _encode_items(turns: Sequence[ProviderTurn]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "user":
            items.extend(_encode_user_items(turn))
            continue
        for part in turn.parts:
            if part.raw is not None:
                # Fields that came as null are refused when they come back.
                items.extend({key: value for key, value in item.items() if value is not None} for item in part.raw)
            else:
                items.extend(_encode_assistant_items(part.blocks))
    return items


def _make_ids_unique(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items with each call's id once, so that a result has one call."""
    ids = UniqueCallIds()
    return [_name_item(item, ids) for item in items]


def _name_item(item: dict[str, Any], ids: UniqueCallIds) -> dict[str, Any]:
    if item.get("type") == "function_call":
        return {**item, "call_id": ids.name_call(item["call_id"])}
    if item.get("type") == "function_call_output":
        return {**item, "call_id": ids.name_result(item["call_id"])}
    return item


def _encode_user_items(turn: ProviderTurn) -> Iterator[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for block in turn.blocks:
        if isinstance(block, ToolResultBlock):
            # The API has no field for a failed call, so the text says it.
            text = f"Error: {render_result(block)}" if block.is_error else render_result(block)
            yield {"type": "function_call_output", "call_id": block.call_id, "output": text}
        else:
            content.append(_encode_block(block))
    if content:
        yield {"type": "message", "role": "user", "content": content}


def _encode_block(block: ContentBlock) -> dict[str, Any]:
    match block:
        case ImageBlock():
            url = f"data:{block.media_type};base64,{block.data}"
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        case DocumentBlock(media_type="application/pdf"):
            data = f"data:application/pdf;base64,{block.data}"
            return {"type": "input_file", "filename": block.title or "document.pdf", "file_data": data}
        case DocumentBlock():
            title = f"{block.title}\n\n" if block.title else ""
            return {"type": "input_text", "text": f"{title}{block.data}"}
        case TextBlock():
            return {"type": "input_text", "text": block.text}
        case _:
            raise TypeError(f"a {block.type} block is not the user's")


def _encode_assistant_items(blocks: Sequence[ContentBlock]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        if isinstance(block, TextBlock):
            yield {"role": "assistant", "content": block.text}
        elif isinstance(block, ToolCallBlock):
            arguments = json.dumps(block.arguments, ensure_ascii=False)
            yield {"type": "function_call", "call_id": block.call_id, "name": block.tool, "arguments": arguments}


def decode(body: dict[str, Any], *, model: ModelEntry, request_id: str | None) -> ProviderReply:
    """Return the reply in a 200 body.

    Raises:
        ProviderFailure: it is no response, or one that failed.
    """
    output: Any = body.get("output")
    status = body.get("status")
    if status == "failed":
        raise _make_failure(body, request_id)
    if status not in (None, "completed", "incomplete"):  # queued, in_progress, cancelled: no whole reply
        usage, what = decode_usage(body.get("usage")), "200 without a whole reply"
        raise ProviderFailure(Outcome.MALFORMED, what, request_id=request_id, usage=usage, worked=True)
    if body.get("object") != "response" or not is_list_of_objects(output):
        raise ProviderFailure(Outcome.MALFORMED, "200 without a response", request_id=request_id)
    reason = str(get_section(body, "incomplete_details").get("reason")).casefold()
    if status == "incomplete" and reason not in _INCOMPLETE:
        usage, what = decode_usage(body.get("usage")), "200 with a reply that broke off"
        raise ProviderFailure(Outcome.MALFORMED, what, request_id=request_id, usage=usage, worked=True)
    blocks: list[ContentBlock] = []
    problems: list[str] = []
    refused = False
    cut = status == "incomplete"  # its last message is then, too, and the reply's end says so
    for item in output:
        refused = _read_item(item, model.provider, blocks, problems) or refused
        if item.get("type") == "message" and not (cut or _is_over(item)):
            problems.append("a message of the reply is not whole")
    return ProviderReply(
        blocks=tuple(blocks),
        stop=StopReason.REFUSAL if refused else _decode_stop(reason, cut, blocks),
        usage=decode_usage(body.get("usage")),
        raw=None
        if problems
        else ProviderRaw(provider=model.provider, model=model.name, content=[_mend_arguments(item) for item in output]),
        request_id=request_id,
        problems=tuple(problems),
    )


def _mend_arguments(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as it goes back: providers refuse half of a surrogate pair, also their own."""
    given = item.get("arguments")
    return {**item, "arguments": mend_escapes(given)} if isinstance(given, str) else item


def _make_failure(body: dict[str, Any], request_id: str | None) -> ProviderFailure:
    error = get_section(body, "error")
    signal = FailureSignal(FAILED, str(error.get("type")), str(error.get("code")), str(error.get("message")))
    found = classify(OPENAI, signal)
    failure = ProviderFailure(
        found.outcome,
        "200 with status failed",
        request_id=request_id,
        usage=decode_usage(body.get("usage")),
        scope=found.scope,
    )
    failure.reason = find_reason(signal) if found.outcome is Outcome.CALLER_ERROR else None
    return failure


def _decode_stop(reason: str, cut: bool, blocks: Sequence[ContentBlock]) -> StopReason:
    if cut or reason == "content_filter":
        return _INCOMPLETE[reason]
    return StopReason.TOOL_CALLS if any(isinstance(block, ToolCallBlock) for block in blocks) else StopReason.END


def _read_item(item: dict[str, Any], provider: str, blocks: list[ContentBlock], problems: list[str]) -> bool:
    """Read one item into blocks and problems; return whether it is a refusal."""
    match item:
        case {"type": "message", "content": list(parts)}:
            texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "output_text"]
            blocks.extend(TextBlock(text=text) for text in texts if isinstance(text, str))
            return any(isinstance(part, dict) and part.get("type") == "refusal" for part in parts)
        case {"type": "reasoning"}:
            summary = item.get("summary")
            parts = summary if isinstance(summary, list) else []
            text = "\n\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
            data = item.get("encrypted_content")
            blocks.append(ThinkingBlock(text=text, redacted=data if isinstance(data, str) else None, provider=provider))
        case {"type": "function_call", "name": str(name), "call_id": str(call_id), "arguments": str(text)}:
            arguments, wrong = read_arguments(text)
            if not _is_over(item):
                problems.append(f"the call of {name[:64]} is not whole")
            elif arguments is None:
                problems.append(f"the arguments of {name[:64]} {wrong}")
            elif not 1 <= len(call_id) <= 64:
                problems.append(f"the call of {name[:64]} has no usable id")
            else:
                blocks.append(ToolCallBlock(call_id=call_id, tool=name, arguments=arguments))
        case {"type": "function_call"}:
            problems.append("a tool call has no name, no id or no arguments")
    return False


def _is_over(item: dict[str, Any]) -> bool:
    """Tell if an item is whole. Servers that speak this protocol leave the status out."""
    return item.get("status") in (None, "completed")


def decode_usage(usage: Any) -> Usage | None:
    """Return OpenAI's usage in ours: its input tokens include cached reads and writes, ours do not.

    Cache writes of 30 minutes count as ours of the short lifetime, those of 12 hours as the long one.
    """
    if not isinstance(usage, dict) or None in (read_count(usage, "input_tokens"), read_count(usage, "output_tokens")):
        return None
    details = get_section(usage, "input_tokens_details")
    read, written = get_count(details, "cached_tokens"), get_count(details, "cache_write_tokens")
    long = min(written, get_count(get_section(details, "cache_write_tokens_details"), "ttl_12h_tokens"))
    return Usage(
        input_tokens=max(0, get_count(usage, "input_tokens") - read - written),
        output_tokens=get_count(usage, "output_tokens"),
        cache_read_tokens=read,
        cache_write_5m_tokens=written - long,
        cache_write_1h_tokens=long,
        thinking_tokens=get_count(get_section(usage, "output_tokens_details"), "reasoning_tokens"),
    )
