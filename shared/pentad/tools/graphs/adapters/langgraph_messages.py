"""Messages and tools between LangChain's types and ours."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.ids import TOOL_PATTERN
from pentad.domain.messages import ContentBlock, ImageBlock, Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.models import ChatReply
from pentad.domain.usage import Usage
from pentad.tools.runtime.sanitise import fit_words

KEPT = "pentad_message"
"""Under this name an answer carries the message as the gateway gave it: its thinking goes back byte for byte."""
_EPOCH = datetime.fromtimestamp(0, UTC)  # LangChain's messages have no time, and a made-up one would spoil cache keys
_MAX_CALL_ID = 64
_MAX_NAME = 40
_DATA_URL = re.compile(r"data:(?P<media>image/[a-z]+);base64,(?P<data>.+)", re.DOTALL)


def to_request(
    messages: Sequence[BaseMessage], show: Callable[[ToolMessage], str] | None = None
) -> tuple[str, tuple[Message, ...]]:
    """Return the system prompt and the conversation; neighbours of the role user become one message.

    Args:
        messages: as LangChain has them.
        show: what is shown of a tool's result; None shows its ends where it is too large.

    Raises:
        InvalidInput: a message is of a kind, or holds content, that the gateway does not take.
    """
    system = [str(message.text) for message in messages if isinstance(message, SystemMessage)]
    found: list[Message] = []
    for message in messages:
        if isinstance(message, SystemMessage):
            continue
        made = _to_message(message, len(found), show or _show_ends)
        if found and found[-1].role == made.role == "user":
            found[-1] = found[-1].model_copy(update={"blocks": (*found[-1].blocks, *made.blocks)})
        else:
            found.append(made)
    if not found:
        raise InvalidInput("there is no message to answer", field="messages", fix="send one besides the system prompt")
    return "\n\n".join(system), tuple(found)


def _show_ends(message: ToolMessage) -> str:
    return fit_words(str(message.text))


def _to_message(message: BaseMessage, place: int, show: Callable[[ToolMessage], str]) -> Message:
    """Return one message; ``place`` makes its id."""
    role: Any = "assistant" if isinstance(message, AIMessage) else "user"
    if isinstance(message, AIMessage):
        kept = _find_original(message)
        if kept is not None:
            return kept.model_copy(update={"message_id": f"graph_{place}", "created_at": _EPOCH})
        blocks: tuple[ContentBlock, ...] = (*_iter_blocks(message), *map(_to_call_block, message.tool_calls))
    elif isinstance(message, ToolMessage):
        # What a graph's tool says may come from anywhere, so the model is told that it is not from the user.
        blocks = (
            ToolResultBlock(
                call_id=_normalise_call_id(message.tool_call_id),
                content=show(message),
                is_error=message.status == "error",
                untrusted=True,
            ),
        )
    elif isinstance(message, HumanMessage):
        blocks = tuple(_iter_blocks(message))
    else:
        raise InvalidInput(
            f"a message of the type {message.type} can't be sent", field="messages", fix="use system, human, ai, tool"
        )
    return Message(message_id=f"graph_{place}", role=role, blocks=blocks, created_at=_EPOCH)


def _find_original(message: AIMessage) -> Message | None:
    """Return the gateway's own form of an answer, unless the graph has changed the answer since."""
    given = message.response_metadata.get(KEPT)
    if given is None:
        return None
    try:
        kept = Message.model_validate(given)
    except ValidationError:
        return None
    calls = [(call["id"], call["args"]) for call in message.tool_calls]
    same = kept.text == str(message.text) and calls == [(call.call_id, call.arguments) for call in kept.tool_calls]
    return kept if same else None


def _to_call_block(call: Any) -> ToolCallBlock:
    return ToolCallBlock(
        call_id=_normalise_call_id(call["id"]), tool=sanitise_name(call["name"]), arguments=call["args"]
    )


def _normalise_call_id(given: str | None) -> str:
    """Return a call's id, shortened in a way that its result's id is shortened too."""
    name = given or "call"
    return name if len(name) <= _MAX_CALL_ID else hashlib.sha256(name.encode()).hexdigest()


def _iter_blocks(message: BaseMessage) -> Iterator[ContentBlock]:
    parts = [message.content] if isinstance(message.content, str) else message.content
    for part in parts:
        if isinstance(part, str):
            if part:
                yield TextBlock(text=part)
        elif part.get("type") == "text":
            yield TextBlock(text=str(part["text"]))
        elif part.get("type") in ("image", "image_url"):
            yield _to_image(part)
        elif part.get("type") not in ("tool_use", "tool_call", "thinking", "reasoning"):
            # Calls stand in the message's own field; another provider's thinking can't be read by ours.
            raise InvalidInput(
                f"content of the type {part.get('type')} can't be sent", field="messages", fix="use text and images"
            )


def _to_image(part: Mapping[str, Any]) -> ImageBlock:
    if part.get("base64") and part.get("mime_type"):
        media, data = part["mime_type"], part["base64"]
    else:
        address = part.get("image_url", "")
        matched = _DATA_URL.fullmatch(address.get("url", "") if isinstance(address, Mapping) else str(address))
        if matched is None:
            raise InvalidInput("an image must be given as base64", field="messages", fix="send its data, not a link")
        media, data = matched["media"], matched["data"]
    try:
        return ImageBlock(media_type=media, data=data)
    except ValidationError as error:
        raise InvalidInput(f"an image of the type {media} can't be sent", field="messages", fix="send a PNG") from error


def to_answer(reply: ChatReply, names: Mapping[str, str]) -> AIMessage:
    """Return the gateway's reply as LangChain has it.

    Args:
        reply: the reply.
        names: the tools' own names by the names that the gateway knows.
    """
    message = reply.message
    return AIMessage(
        content=message.text,
        tool_calls=[
            {"name": names.get(call.tool, call.tool), "args": call.arguments, "id": call.call_id, "type": "tool_call"}
            for call in message.tool_calls
        ],
        usage_metadata=_to_usage(reply.usage),
        response_metadata={
            "model_name": reply.model,
            "provider": reply.provider,
            "stop_reason": reply.stop.value,
            "cost_nanousd": reply.cost_nanousd,
            "notices": list(reply.notices),
            KEPT: message.model_dump(mode="json"),
        },
    )


def _to_usage(usage: Usage) -> UsageMetadata:
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return UsageMetadata(
        # LangChain's count of input holds what was read from and written to the provider's cache.
        input_tokens=usage.input_tokens + usage.cache_read_tokens + written,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        input_token_details={"cache_read": usage.cache_read_tokens, "cache_creation": written},
        output_token_details={"reasoning": usage.thinking_tokens},
    )


def sanitise_name(name: str) -> str:
    """Return a tool's name as the gateway takes it; the same for the same name, different for different ones."""
    if re.fullmatch(TOOL_PATTERN, name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    plain = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return f"t_{plain[: _MAX_NAME - 9]}_{digest}"


def to_tool_spec(given: Any) -> dict[str, Any]:
    """Return what LangChain takes for a tool as a `ToolSpec` in JSON, under a name that the gateway takes."""
    function = convert_to_openai_tool(given)["function"]
    schema = {"type": "object", "properties": {}, **function.get("parameters", {})}
    spec = ToolSpec(
        name=sanitise_name(function["name"]),
        description=(function.get("description") or function["name"])[:4000],
        input_schema=schema,
        effects="external",
    )
    return spec.model_dump(mode="json")
