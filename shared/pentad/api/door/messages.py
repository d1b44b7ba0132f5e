"""A client's messages as ours: system texts apart, tool results as the user's, pictures and files as blocks."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from pentad.api.door.faults import DoorFault
from pentad.api.door.forms import shape_content, shape_result
from pentad.api.door.names import NAME_PATTERN, ToolNames
from pentad.api.door.reading import LeftOut, Part, parse_model
from pentad.domain.messages import (
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    Message,
    TextBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.models.providers.strictjson import read_arguments, validate_arguments

_DATA_URL = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+)(?:;charset=[\w-]+)?;base64,(?P<data>.*)", re.I | re.S)
_IMAGES = {"image/jpg": "image/jpeg"} | {
    kind: kind for kind in get_args(ImageBlock.model_fields["media_type"].annotation)
}
_LONGEST_CALL_ID = 64
_ROLE = frozenset({"role"})
_TYPE = frozenset({"type"})
_PART_HINTS = frozenset({"prompt_cache_breakpoint"})


class _CalledFunction(Part):
    name: str = Field(pattern=NAME_PATTERN)
    arguments: str | dict[str, Any] = ""


class _AssistantCall(Part):
    # Those who put a stream's deltas together leave it in.
    quiet: ClassVar[frozenset[str]] = frozenset({"index"})

    id: str = Field(min_length=1)
    type: Literal["function"] = "function"
    function: _CalledFunction


class _System(Part):
    quiet: ClassVar[frozenset[str]] = _ROLE
    hints: ClassVar[frozenset[str]] = frozenset({"name"})

    content: Any = ""


class _User(Part):
    quiet: ClassVar[frozenset[str]] = _ROLE
    hints: ClassVar[frozenset[str]] = frozenset({"name"})

    content: Any = ""


class _Assistant(Part):
    quiet: ClassVar[frozenset[str]] = _ROLE
    # Clients send back what they were given, so what an answer may have is no error.
    hints: ClassVar[frozenset[str]] = frozenset({"name", "audio", "annotations", "function_call"})

    content: Any = None
    refusal: str | None = None
    tool_calls: tuple[_AssistantCall, ...] = ()


class _ToolMessage(Part):
    quiet: ClassVar[frozenset[str]] = _ROLE
    hints: ClassVar[frozenset[str]] = frozenset({"name"})

    content: Any = ""
    tool_call_id: str = Field(min_length=1)


class _Text(Part):
    quiet: ClassVar[frozenset[str]] = _TYPE
    hints: ClassVar[frozenset[str]] = _PART_HINTS | {"annotations"}

    text: str


class _Refusal(Part):
    quiet: ClassVar[frozenset[str]] = _TYPE

    refusal: str


class _Url(Part):
    hints: ClassVar[frozenset[str]] = frozenset({"detail"})

    url: str


class _Image(Part):
    quiet: ClassVar[frozenset[str]] = _TYPE
    hints: ClassVar[frozenset[str]] = _PART_HINTS | {"detail"}

    image_url: _Url


class _FileData(Part):
    hints: ClassVar[frozenset[str]] = frozenset({"file_id"})

    file_data: str
    filename: Annotated[str, Field(max_length=255)] | None = None


class _File(Part):
    quiet: ClassVar[frozenset[str]] = _TYPE
    hints: ClassVar[frozenset[str]] = _PART_HINTS

    file: _FileData


_ROLES: dict[str, type[_System | _User | _Assistant | _ToolMessage]] = {
    "system": _System,
    "developer": _System,
    "user": _User,
    "assistant": _Assistant,
    "tool": _ToolMessage,
}


@dataclass(frozen=True)
class ParsedConversation:
    """Messages read, not yet with the names of our tools."""

    system: str
    turns: tuple[tuple[str, _User | _Assistant | _ToolMessage], ...]
    left_out: LeftOut

    @property
    def called(self) -> Iterator[str]:
        """The names of the tools that were called."""
        for _, turn in self.turns:
            if isinstance(turn, _Assistant):
                yield from (call.function.name for call in turn.tool_calls)

    def to_messages(self, names: ToolNames, now: datetime) -> tuple[Message, ...]:
        """Return them as ours.

        Raises:
            Fault: something in them can't be passed on; ``param`` says what.
        """
        made = [
            Message(
                message_id=f"door_{index}",
                role="assistant" if isinstance(turn, _Assistant) else "user",
                blocks=tuple(_build_blocks(turn, names, param, self.left_out)),
                created_at=now,
            )
            for index, (param, turn) in enumerate(self.turns)
        ]
        said = any(not isinstance(block, TextBlock) or block.text.strip() for one in made for block in one.blocks)
        if not said or made[-1].role != "user":
            raise DoorFault("messages: the last message must be the user's or a tool's result", param="messages")
        return tuple(made)


def parse_conversation(items: Sequence[Any], left_out: LeftOut) -> ParsedConversation:
    """Return a request's messages, read.

    The texts of system and developer go together, before the conversation, wherever they stood: not every provider
    has them in between. Where there is nothing else, they are what the user says.

    Args:
        items: the request's messages.
        left_out: is told of the fields that are not followed; of those of parts as they become ours.

    Raises:
        Fault: a message is none; ``param`` says which.
    """
    system: list[str] = []
    turns: list[tuple[str, _User | _Assistant | _ToolMessage]] = []
    for index, item in enumerate(items):
        param = f"messages[{index}]"
        role = item.get("role") if isinstance(item, dict) else None
        kind = _ROLES.get(role) if isinstance(role, str) else None
        if kind is None:
            raise DoorFault(f"{param}.role: use one of {', '.join(_ROLES)}", param=f"{param}.role")
        message = parse_model(kind, item, param, left_out)
        if isinstance(message, _System):
            system.append(_join_text(message.content, f"{param}.content", left_out))
        else:
            turns.append((param, message))
    words = "\n\n".join(text for text in system if text.strip())
    if not turns and words:
        return ParsedConversation("", (("messages[0]", _User(content=words)),), left_out)
    return ParsedConversation(words, tuple(turns), left_out)


def _build_blocks(
    turn: _User | _Assistant | _ToolMessage, names: ToolNames, param: str, left_out: LeftOut
) -> Iterator[ContentBlock]:
    content = f"{param}.content"
    if isinstance(turn, _ToolMessage):
        yield ToolResultBlock(
            call_id=_call_id(turn.tool_call_id), content=_join_text(shape_result(turn.content), content, left_out)
        )
    elif isinstance(turn, _User):
        yield from _parse_parts(turn.content, _USER_PARTS, content, left_out)
    else:
        yield from _parse_parts(turn.content or "", _ASSISTANT_PARTS, content, left_out)
        if turn.refusal:
            yield TextBlock(text=turn.refusal)
        for index, call in enumerate(turn.tool_calls):
            yield _parse_call(call, names, f"{param}.tool_calls[{index}]")


def _parse_call(call: _AssistantCall, names: ToolNames, param: str) -> ToolCallBlock:
    given = call.function.arguments  # an object instead of its JSON has one meaning
    arguments, wrong = read_arguments(given) if isinstance(given, str) else validate_arguments(given)
    if arguments is None:
        where = f"{param}.function.arguments"
        raise DoorFault(f"{where}: the arguments {wrong}", param=where)
    return ToolCallBlock(call_id=_call_id(call.id), tool=names.to_inner(call.function.name), arguments=arguments)


def _call_id(given: str) -> str:
    """Return a call's id within our bound; equal ids stay equal."""
    if len(given) <= _LONGEST_CALL_ID:
        return given
    return f"call_{hashlib.sha256(given.encode()).hexdigest()[:32]}"


def _join_text(content: Any, param: str, left_out: LeftOut) -> str:
    blocks = _parse_parts(content, _TEXT_PARTS, param, left_out)
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


_Reader = Callable[[dict[str, Any], str, LeftOut], ContentBlock]


def _parse_parts(content: Any, readers: Mapping[str, _Reader], param: str, left_out: LeftOut) -> Iterator[ContentBlock]:
    content = shape_content(content)
    if isinstance(content, str):
        yield TextBlock(text=content)
        return
    if not isinstance(content, list):
        raise DoorFault(f"{param}: must be a string or a list of parts", param=param)
    for index, part in enumerate(content):
        where = f"{param}[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        reader = readers.get(kind) if isinstance(kind, str) else None
        if reader is None:
            raise DoorFault(f"{where}.type: use one of {', '.join(readers)}", param=f"{where}.type")
        yield reader(part, where, left_out)


def _parse_text(part: dict[str, Any], param: str, left_out: LeftOut) -> TextBlock:
    return TextBlock(text=parse_model(_Text, part, param, left_out).text)


def _parse_refusal(part: dict[str, Any], param: str, left_out: LeftOut) -> TextBlock:
    return TextBlock(text=parse_model(_Refusal, part, param, left_out).refusal)


def _parse_image(part: dict[str, Any], param: str, left_out: LeftOut) -> ImageBlock:
    url = parse_model(_Image, part, param, left_out).image_url.url
    kind, data = _parse_data_url(url, f"{param}.image_url.url", "pictures are not fetched from elsewhere")
    if kind not in _IMAGES:
        raise DoorFault(f"{param}.image_url.url: use PNG, JPEG, GIF or WebP", param=f"{param}.image_url.url")
    return ImageBlock.model_validate({"media_type": _IMAGES[kind], "data": data})


def _parse_file(part: dict[str, Any], param: str, left_out: LeftOut) -> DocumentBlock:
    file = parse_model(_File, part, param, left_out).file
    where = f"{param}.file.file_data"
    kind, data = _parse_data_url(file.file_data, where, "files are given whole")
    if kind == "text/plain":
        try:
            data = base64.b64decode(data).decode()
        except UnicodeDecodeError as error:
            raise DoorFault(f"{where}: the text is not UTF-8", param=where) from error
    elif kind != "application/pdf":
        raise DoorFault(f"{where}: use application/pdf or text/plain", param=where)
    return DocumentBlock.model_validate({"media_type": kind, "data": data, "title": file.filename})


def _parse_data_url(url: str, param: str, why: str) -> tuple[str, str]:
    """Return the media type and the base64 of a data URL."""
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise DoorFault(f"{param}: {why}: send a data: URL in base64", param=param)
    data = match["data"]
    try:
        base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DoorFault(f"{param}: the data is not base64", param=param) from error
    return match["type"].lower(), data


_TEXT_PARTS: dict[str, _Reader] = {"text": _parse_text}
_ASSISTANT_PARTS: dict[str, _Reader] = {"text": _parse_text, "refusal": _parse_refusal}
_USER_PARTS: dict[str, _Reader] = {"text": _parse_text, "image_url": _parse_image, "file": _parse_file}
