"""Neutral messages to chat completions, as OpenAI-compatible servers speak it, and back: pure.

Gemini, Ollama, vLLM, llama.cpp and their like serve POST /chat/completions in OpenAI's shape and differ in what they
understand of it: `Dialect` says what. Sources: `types/chat/completion_create_params.py`, `chat_completion.py` and
`completion_usage.py` of openai 3.54.0.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pentad.domain.declarations.agents import ToolSpec
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
from pentad.models.catalog.provider_entries import Dialect
from pentad.models.providers.adapters.openai_wire import is_strict_schema
from pentad.models.providers.conversation import ProviderTurn, TurnPart, UniqueCallIds, normalise, render_result
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import COMPATIBLE, FAILED, FailureSignal, classify, find_reason
from pentad.models.providers.strictjson import (
    get_count,
    get_section,
    is_list_of_objects,
    read_count,
    validate_arguments,
)
from pentad.models.providers.strictjson import read_arguments as read_arguments
from pentad.models.providers.tool_schemas import describe_reply, flatten_tool_schema

_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NINE = re.compile(r"[A-Za-z0-9]{9}")
"""What Mistral takes: "Tool call id was ... but must be a-z, A-Z, 0-9, with a length of 9" (400; reports of 2024-07 to
2026-03, also behind OpenRouter)."""
_STATUS = re.compile(r"[45][0-9]{2}")
_REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""What servers call a model's reasoning: DeepSeek, Moonshot and GLM the first, vLLM the second, OpenRouter the last."""
_BACK = ("content", "tool_calls", "extra_content", *_REASONING)
"""What of a message is kept. Reasoning goes back where the dialect says so: DeepSeek refuses calls without it, others
refuse the field."""

# Why a reply ended, as servers that speak this protocol write it: OpenAI, Mistral, DeepSeek, Gemini, vLLM, Ollama and
# text-generation-inference, 2026-11. Some leave it out.
_ENDED = frozenset({"", "stop", "eos", "eos_token", "end_turn", "stop_sequence"})
_CALLED = frozenset({"tool_calls", "tool_use", "function_call"})
_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_REFUSED = frozenset(
    {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "language", "refusal"}
)


def wire_call_id(call_id: str, dialect: Dialect | None = None) -> str:
    """Return a call id that servers take: at most 40 plain characters, or what the dialect says. Equal ids stay equal.

    An id in the one form becomes the same in the other as the id that it was made of: messages are kept in the first.
    """
    if not _CALL_ID.fullmatch(call_id):
        call_id = f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:24]}"
    if dialect is None or dialect.call_ids == "any" or _NINE.fullmatch(call_id):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:9]


def encode(
    model: ModelEntry,
    request: ChatRequest,
    dialect: Dialect,
    *,
    max_output_tokens: int,
    effort: Effort | None = None,
) -> dict[str, Any]:
    """Return the body of POST /chat/completions."""
    messages = _encode_messages(normalise(request.messages, model.provider), dialect)
    _add_instructions(messages, _build_instructions(request, dialect), dialect)
    body: dict[str, Any] = {"model": model.id, "messages": messages, dialect.output_limit: max_output_tokens}
    if request.tools:
        body["tools"] = [_encode_tool(tool) for tool in request.tools]
        if request.tool_choice != "auto":
            body["tool_choice"] = request.tool_choice
        if not dialect.parallel_tools:
            body["parallel_tool_calls"] = False
    if request.output_schema is not None and dialect.structured_output != "prompt":
        body["response_format"] = _build_format(request.output_schema, dialect)
    if effort is not None and dialect.effort and model.capabilities.thinking:
        body["reasoning_effort"] = effort
    return body


def _encode_tool(tool: ToolSpec) -> dict[str, Any]:
    description, schema = flatten_tool_schema(tool.description, tool.input_schema)
    return {"type": "function", "function": {"name": tool.name, "description": description, "parameters": schema}}


def _build_format(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    if dialect.structured_output == "json_object":
        return {"type": "json_object"}
    form = {"name": "reply", "schema": schema, "strict": is_strict_schema(schema)}
    return {"type": "json_schema", "json_schema": form}


def _build_instructions(request: ChatRequest, dialect: Dialect) -> str:
    parts = [request.system] if request.system.strip() else []
    if request.output_schema is not None and dialect.structured_output != "json_schema":
        parts.append(describe_reply(request.output_schema))
    return "\n\n".join(parts)


def _add_instructions(messages: list[dict[str, Any]], text: str, dialect: Dialect) -> None:
    if not text:
        return
    if dialect.system_role != "user":
        messages.insert(0, {"role": dialect.system_role, "content": text})
        return
    first = messages[0]["content"]  # the conversation begins with a user's turn, and it has content
    rest = first if isinstance(first, list) else [{"type": "text", "text": first}]
    messages[0] = {"role": "user", "content": _flatten_content([{"type": "text", "text": text}, *rest])}


def _encode_messages(turns: Sequence[ProviderTurn], dialect: Dialect) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "user":
            messages.extend(_encode_user(turn, dialect))
        elif (message := _encode_assistant(turn.parts, dialect)) is not None:
            messages.append(message)
    messages = _make_ids_unique(messages, dialect)
    return messages if dialect.parallel_tools else list(_split_parallel_calls(messages))


def _make_ids_unique(messages: list[dict[str, Any]], dialect: Dialect) -> list[dict[str, Any]]:
    """Return the messages with each call's id once, so that a result has one call."""
    ids = UniqueCallIds(lambda made: wire_call_id(made, dialect))
    return [_name_message(message, ids) for message in messages]


def _name_message(message: dict[str, Any], ids: UniqueCallIds) -> dict[str, Any]:
    if message.get("tool_calls"):
        calls = [{**call, "id": ids.name_call(call["id"])} for call in message["tool_calls"]]
        return {**message, "tool_calls": calls}
    if message["role"] == "tool":
        return {**message, "tool_call_id": ids.name_result(message["tool_call_id"])}
    return message


def _encode_user(turn: ProviderTurn, dialect: Dialect) -> Iterator[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for block in turn.blocks:
        if isinstance(block, ToolResultBlock):
            # The API has no field for a failed call, so the text says it.
            text = f"Error: {render_result(block)}" if block.is_error else render_result(block)
            yield {"role": "tool", "tool_call_id": wire_call_id(block.call_id, dialect), "content": text}
        else:
            content.append(_encode_block(block))
    if content:
        yield {"role": "user", "content": _flatten_content(content)}


def _flatten_content(content: list[dict[str, Any]]) -> Any:
    """Return words alone as a string: some servers take no list of parts for a model without pictures."""
    if all(part["type"] == "text" for part in content):
        return "\n\n".join(part["text"] for part in content)
    return content


def _encode_block(block: ContentBlock) -> dict[str, Any]:
    match block:
        case ImageBlock():
            return {"type": "image_url", "image_url": {"url": f"data:{block.media_type};base64,{block.data}"}}
        case DocumentBlock(media_type="application/pdf"):
            data = f"data:application/pdf;base64,{block.data}"
            return {"type": "file", "file": {"filename": block.title or "document.pdf", "file_data": data}}
        case DocumentBlock():
            title = f"{block.title}\n\n" if block.title else ""
            return {"type": "text", "text": f"{title}{block.data}"}
        case TextBlock():
            return {"type": "text", "text": block.text}
        case _:
            raise TypeError(f"a {block.type} block is not the user's")


def _encode_assistant(parts: Sequence[TurnPart], dialect: Dialect) -> dict[str, Any] | None:
    """Return one message for the turn: its tool calls have to stand right before their results."""
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    reasoning: dict[str, Any] = {}
    for part in parts:
        if isinstance(part.raw, dict):
            texts.append(_join_text(part.raw.get("content")))
            made = part.raw.get("tool_calls") or []
            calls.extend(call | {"id": wire_call_id(call["id"], dialect)} for call in made)
            more = {"extra_content": part.raw["extra_content"]} if part.raw.get("extra_content") else {}
            _collect_reasoning(reasoning, part.raw)
        else:
            texts.extend(block.text for block in part.blocks if isinstance(block, TextBlock))
            calls.extend(_encode_call(block, dialect) for block in part.blocks if isinstance(block, ToolCallBlock))
    text = "\n\n".join(filter(None, texts))
    if not text and not calls:
        return None
    more |= _choose_reasoning(reasoning, dialect, calls=bool(calls))
    return {"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {}), **more}


def _collect_reasoning(found: dict[str, Any], raw: dict[str, Any]) -> None:
    """Add a message's reasoning to that of the turn: words one after the other, lists joined."""
    for name in _REASONING:
        value = raw.get(name)
        if isinstance(value, str):
            found[name] = "\n\n".join(filter(None, (found.get(name), value)))
        elif isinstance(value, list):
            found[name] = [*found.get(name, []), *value]


def _choose_reasoning(found: dict[str, Any], dialect: Dialect, *, calls: bool) -> dict[str, Any]:
    """Return what of a turn's reasoning goes back."""
    if dialect.reasoning == "none" or (dialect.reasoning == "tool_calls" and not calls):
        return {}
    # Calls that another model made have no reasoning; the server asks for the field all the same.
    return found or ({_REASONING[0]: ""} if dialect.reasoning == "tool_calls" else {})


def _encode_call(block: ToolCallBlock, dialect: Dialect) -> dict[str, Any]:
    arguments = json.dumps(block.arguments, ensure_ascii=False)
    function = {"name": block.tool, "arguments": arguments}
    return {
        "id": wire_call_id(block.call_id, dialect),
        "type": "function",
        "function": function,
        **dialect.foreign_calls,
    }


def _split_parallel_calls(messages: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield calls that were made together as if they had been made one after the other, each before its result.

    The results stand right behind their calls and in their order: the conversation was brought into that form.
    """
    at = 0
    while at < len(messages):
        message = messages[at]
        calls = message.get("tool_calls") or []
        at += 1
        if len(calls) < 2:
            yield message
            continue
        for index, (call, result) in enumerate(zip(calls, messages[at : at + len(calls)], strict=True)):
            yield {**message, "content": message["content"] if index == 0 else None, "tool_calls": [call]}
            yield result
        at += len(calls)


def decode(body: dict[str, Any], *, model: ModelEntry, request_id: str | None) -> ProviderReply:
    """Return the reply in a 200 body.

    Raises:
        ProviderFailure: it is no completion, or an error that came as one.
    """
    if isinstance(body.get("error"), dict):
        raise _make_failure(body["error"], request_id)
    choices: Any = body.get("choices")
    if not is_list_of_objects(choices) or not choices or not isinstance(choices[0].get("message"), dict):
        raise ProviderFailure(
            Outcome.MALFORMED, "200 without a completion", request_id=request_id, usage=_decode_usage(body.get("usage"))
        )
    message = choices[0]["message"]
    blocks, problems = _decode_blocks(message, model, str(body.get("id")))
    stop = _decode_stop(choices[0], blocks)
    if stop is None:
        raise ProviderFailure(
            Outcome.MALFORMED,
            "200 with a reply that broke off",
            request_id=request_id,
            usage=_decode_usage(body.get("usage")),
            worked=True,
        )
    return ProviderReply(
        blocks=blocks,
        stop=stop,
        usage=_decode_usage(body.get("usage")),
        raw=None if problems else _build_raw(message, model, blocks),
        request_id=request_id,
        problems=problems,
    )


def _make_failure(error: dict[str, Any], request_id: str | None) -> ProviderFailure:
    code = str(error.get("code"))
    status = int(code) if _STATUS.fullmatch(code) else FAILED
    signal = FailureSignal(status, str(error.get("type")), code, str(error.get("message")))
    found = classify(COMPATIBLE, signal)
    failure = ProviderFailure(found.outcome, "200 with an error", request_id=request_id, scope=found.scope)
    failure.reason = find_reason(signal) if found.outcome is Outcome.CALLER_ERROR else None
    return failure


def _decode_blocks(
    message: dict[str, Any], model: ModelEntry, completion_id: str
) -> tuple[tuple[ContentBlock, ...], tuple[str, ...]]:
    blocks: list[ContentBlock] = []
    problems: list[str] = []
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str) and thought.strip():
        blocks.append(ThinkingBlock(text=thought, provider=model.provider))
    words = _join_text(message.get("content"))
    if words:
        blocks.append(TextBlock(text=words))
    calls: Any = message.get("tool_calls") or []
    if not is_list_of_objects(calls):
        problems.append("the tool calls are not a list of objects")
    for index, item in enumerate(calls if is_list_of_objects(calls) else ()):
        made = hashlib.sha256(f"{completion_id} {index}".encode()).hexdigest()[:24]
        _read_call(item, f"call_{made}", blocks, problems)
    return tuple(blocks), tuple(problems)


def _read_call(item: dict[str, Any], otherwise: str, blocks: list[ContentBlock], problems: list[str]) -> None:
    function = get_section(item, "function")
    name, given = str(function.get("name")), function.get("arguments")
    arguments, wrong = read_arguments(given) if isinstance(given, str) else validate_arguments(given)
    call_id = item.get("id") or otherwise  # some servers give none
    if arguments is None:
        problems.append(f"the arguments of {name[:64]} {wrong}")
    elif not isinstance(call_id, str) or len(call_id) > 64:
        problems.append(f"the call of {name[:64]} has no usable id")
    else:
        blocks.append(ToolCallBlock(call_id=call_id, tool=name, arguments=arguments))


def _build_raw(message: dict[str, Any], model: ModelEntry, blocks: Sequence[ContentBlock]) -> ProviderRaw:
    """Return what goes back: the fields that servers take, calls with the ids that they have here."""
    ids = [wire_call_id(block.call_id) for block in blocks if isinstance(block, ToolCallBlock)]
    content = {key: message[key] for key in _BACK if message.get(key) is not None}
    if ids:
        pairs = zip(message["tool_calls"], ids, strict=True)
        content["tool_calls"] = [_build_raw_call(call, call_id) for call, call_id in pairs]
    return ProviderRaw(provider=model.provider, model=model.name, content=content)


def _build_raw_call(call: dict[str, Any], call_id: str) -> dict[str, Any]:
    function = get_section(call, "function")
    if isinstance(function.get("arguments"), str):
        function = {**function, "arguments": mend_escapes(function["arguments"])}
    return {**call, "function": function, "type": "function", "id": call_id}


def _join_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if is_list_of_objects(content) else []
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _decode_stop(choice: dict[str, Any], blocks: Sequence[ContentBlock]) -> StopReason | None:
    """Return why the reply ended, or None where it broke off: what is on no list of ours is not taken for an end."""
    reason, refusal = str(choice.get("finish_reason") or "").casefold(), choice["message"].get("refusal")
    if reason in _REFUSED or (isinstance(refusal, str) and refusal):
        return StopReason.REFUSAL
    if reason in _CUT:
        return StopReason.MAX_TOKENS
    if reason not in _ENDED | _CALLED:
        return None
    called = reason in _CALLED or any(isinstance(block, ToolCallBlock) for block in blocks)
    return StopReason.TOOL_CALLS if called else StopReason.END


def _decode_usage(usage: Any) -> Usage | None:
    """Return usage in ours: input less what was cached, output with what was thought.

    Gemini leaves thinking out of ``completion_tokens`` and has it in ``total_tokens`` only; it is billed all the same.
    """
    if not isinstance(usage, dict) or read_count(usage, "prompt_tokens") is None:
        return None
    details, prompt = get_section(usage, "prompt_tokens_details"), get_count(usage, "prompt_tokens")
    read, written = get_count(details, "cached_tokens"), get_count(details, "cache_write_tokens")
    said = get_count(usage, "completion_tokens")
    output = max(said, get_count(usage, "total_tokens") - prompt)
    thinking = get_count(get_section(usage, "completion_tokens_details"), "reasoning_tokens") or output - said
    return Usage(
        input_tokens=max(0, prompt - read - written),
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_5m_tokens=written,
        thinking_tokens=min(thinking, output),
    )
