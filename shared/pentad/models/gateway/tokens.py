"""Estimate tokens from characters: cheap, deterministic, no tokenizer to download.

ASCII text runs at 3.5 to 4.5 characters a token in English and code; other scripts at about 2 UTF-8 bytes a token.
The estimate takes the dense end, so it errs on the side of too many: a candidate that is taken fits. A model whose
tokenizer is denser still has a ``token_factor`` in the catalog.
"""

import json
import math
from collections.abc import Iterable

from pentad.domain.messages import (
    CitableText,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    Message,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.domain.models import ChatRequest

_ASCII_PER_TOKEN = 3.5
_BYTES_PER_TOKEN = 2.0
_BLOCK_TOKENS = 8  # what a provider adds around a block: role, type, id
_MESSAGE_TOKENS = 4
_IMAGE_TOKENS = 1_600  # an image at the size providers scale it to
_PDF_BYTES_PER_TOKEN = 24  # a page of 60 KB gives about 2,500 tokens, text and picture
_PDF_TOKENS = 1_500


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; 0 for an empty one."""
    if text.isascii():
        return math.ceil(len(text) / _ASCII_PER_TOKEN)
    ascii_characters = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_characters
    return math.ceil(ascii_characters / _ASCII_PER_TOKEN + other_bytes / _BYTES_PER_TOKEN)


def _estimate_block(block: ContentBlock) -> int:
    match block:
        case TextBlock():
            return estimate_tokens(block.text) + _estimate_passages(block.citable)
        case ThinkingBlock():
            return estimate_tokens(block.text) + estimate_tokens(block.redacted or "")
        case ImageBlock():
            return _IMAGE_TOKENS
        case DocumentBlock(media_type="application/pdf"):
            return max(_PDF_TOKENS, len(block.data) * 3 // 4 // _PDF_BYTES_PER_TOKEN)
        case DocumentBlock():
            return estimate_tokens(block.data)
        case ToolCallBlock():
            return estimate_tokens(block.tool) + estimate_tokens(json.dumps(block.arguments, ensure_ascii=False))
        case ToolResultBlock():
            return estimate_tokens(block.content) + _estimate_passages(block.citable)


def _estimate_passages(citable: CitableText | None) -> int:
    """Return what a provider adds around passages where each is a block of its own; their words are in the text."""
    return 0 if citable is None else _BLOCK_TOKENS * len(citable.passages)


def estimate_content(blocks: Iterable[ContentBlock]) -> int:
    """Return about how many tokens blocks have, thinking included, without what a provider puts around them."""
    return sum(_estimate_block(block) for block in blocks)


def estimate_message(message: Message) -> int:
    """Return about how many tokens a message has, all its blocks and what a provider puts around them."""
    return _MESSAGE_TOKENS + sum(_BLOCK_TOKENS + _estimate_block(block) for block in message.blocks)


def estimate_request(request: ChatRequest, *, factor: float = 1.0) -> int:
    """Return about how many input tokens a request has.

    Args:
        request: the request.
        factor: the model's ``token_factor``.
    """
    total = estimate_tokens(request.system) + sum(estimate_message(message) for message in request.messages)
    for tool in request.tools:
        total += _BLOCK_TOKENS + estimate_tokens(tool.description) + estimate_tokens(json.dumps(tool.input_schema))
    if request.output_schema is not None:
        total += estimate_tokens(json.dumps(request.output_schema))
    return apply_factor(total, factor)


def apply_factor(tokens: int, factor: float) -> int:
    """Return an estimate as another model counts it.

    To estimate takes time in proportion to the conversation, so who asks for several models estimates once.

    Args:
        tokens: the estimate with a factor of 1.
        factor: the model's ``token_factor``.
    """
    return math.ceil(tokens * factor)
