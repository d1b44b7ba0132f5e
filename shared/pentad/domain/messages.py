"""The conversation in provider-neutral blocks.

A message keeps its provider's raw form beside the blocks, so that thinking signatures go back byte for
byte to the same provider. Tool results travel in ``user`` messages, as both providers' newest APIs do.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.runs import Assessment
from pentad.domain.values import FrozenValue


class Block(FrozenValue):
    """Base of every content block."""


class CitablePassage(FrozenValue):
    """A passage as a provider is given it that cites passages itself. It is escaped, as it is in the text."""

    marker: str = Field(description="what cites it in an answer, such as [cite:k7f2qa]")
    source: str = Field(description="the document's name")
    title: str
    text: str


class CitableText(FrozenValue):
    """A text with its passages apart: it says the same as the text, and is sent in its place or not at all."""

    before: str = ""
    passages: tuple[CitablePassage, ...] = Field(min_length=1)
    after: str = ""


class TextBlock(Block):
    """Words."""

    type: Literal["text"] = "text"
    text: str
    citable: CitableText | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="of a message as it is sent; never stored",
    )


class ImageBlock(Block):
    """A picture, base64."""

    type: Literal["image"] = "image"
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: str


class DocumentBlock(Block):
    """A document given whole, base64 (PDF) or text."""

    type: Literal["document"] = "document"
    media_type: Literal["application/pdf", "text/plain"]
    data: str
    title: str | None = None


class ThinkingBlock(Block):
    """A model's reasoning. Only the provider that made it can read its signature."""

    type: Literal["thinking"] = "thinking"
    text: str
    signature: str | None = None
    redacted: str | None = Field(default=None, description="opaque data of a redacted block")
    provider: str


class ToolCallBlock(Block):
    """The model asks for a tool. Arguments are validated before one leaves the gateway."""

    type: Literal["tool_call"] = "tool_call"
    call_id: str = Field(min_length=1, max_length=64)
    tool: str
    arguments: dict[str, Any]


class ToolResultBlock(Block):
    """What a tool answered, or why it did not run."""

    type: Literal["tool_result"] = "tool_result"
    call_id: str = Field(min_length=1, max_length=64)
    content: str
    is_error: bool = False
    untrusted: bool = Field(default=False, description="holds text from outside; it is marked to the model")
    citable: CitableText | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="of a message as it is sent; never stored",
    )


ContentBlock = Annotated[
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | ToolCallBlock | ToolResultBlock,
    Field(discriminator="type"),
]


class ProviderRaw(FrozenValue):
    """A reply's content as its provider sent it, kept for the way back."""

    provider: str
    model: str
    content: Any = Field(description="JSON")


class Message(FrozenValue):
    """One message of a session."""

    message_id: str = Field(description="unique in the session; derived from run and step, so a retry writes it once")
    role: Literal["user", "assistant"]
    blocks: tuple[ContentBlock, ...]
    created_at: datetime
    run_id: str | None = None
    step: int | None = Field(default=None, description="the step of the run that made it; 0 is the user's message")
    raw: ProviderRaw | None = None
    assessment: Assessment | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="how sure the turn is; stored with its reply, so that another try need not ask again",
    )

    stop_reason: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="of the words that end a stopped run: why, for operators",
    )
    taint: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="sources of untrusted text in it, or in the context that it was made from",
    )

    @property
    def text(self) -> str:
        """The words of all text blocks, joined by blank lines."""
        return "\n\n".join(block.text for block in self.blocks if isinstance(block, TextBlock))

    @property
    def tool_calls(self) -> tuple[ToolCallBlock, ...]:
        """The tool calls, in the order the model made them."""
        return tuple(block for block in self.blocks if isinstance(block, ToolCallBlock))
