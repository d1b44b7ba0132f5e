"""Estimate the tokens of whole messages."""

import json
from collections.abc import Callable

from pentad.domain.messages import (
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    Message,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.domain.usage import estimate_tokens

Counter = Callable[[str], int]

MESSAGE_OVERHEAD = 4
"""Tokens a provider spends on the role and the ends of a message."""
IMAGE_TOKENS = 1600
"""The most that Anthropic counts for one picture (width x height / 750, scaled down to 1.15 megapixels)."""
PDF_BYTES_PER_TOKEN = 12
"""Base64 of a PDF counts less than words; a page of about 50 KB is 1,500 to 3,000 tokens (Anthropic's PDF guide)."""


def estimate_block(block: ContentBlock, count: Counter = estimate_tokens) -> int:
    """Return the estimated tokens of one content block."""
    match block:
        case TextBlock(text=text):
            return count(text)
        case ThinkingBlock(text=text, redacted=redacted):
            return count(text) + count(redacted or "")
        case ToolCallBlock(tool=tool, arguments=arguments):
            return count(tool) + count(json.dumps(arguments, ensure_ascii=False))
        case ToolResultBlock(content=content):
            return count(content)
        case ImageBlock():
            return IMAGE_TOKENS
        case DocumentBlock(media_type="text/plain", data=data):
            return count(data)
        case DocumentBlock(data=data):
            return len(data) // PDF_BYTES_PER_TOKEN


def estimate_message(message: Message, count: Counter = estimate_tokens) -> int:
    """Return the estimated tokens of a message, without the passages that may be sent with it."""
    return MESSAGE_OVERHEAD + sum(estimate_block(block, count) for block in message.blocks)
