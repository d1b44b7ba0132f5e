"""Estimated tokens."""

from datetime import UTC, datetime

import pytest

from pentad.domain.messages import DocumentBlock, ImageBlock, Message, TextBlock, ThinkingBlock, ToolCallBlock
from pentad.domain.usage import estimate_tokens
from pentad.memory.tokens import IMAGE_TOKENS, MESSAGE_OVERHEAD, estimate_message


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("\u4e2d\u6587\u5b57\u5178", 3), ("\ud800", 1)]
)
def test_four_bytes_are_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_every_block_of_a_message_counts() -> None:
    blocks = (
        TextBlock(text="x" * 400),
        ThinkingBlock(text="x" * 40, redacted="y" * 40, provider="anthropic"),
        ToolCallBlock(call_id="c", tool="calc", arguments={"a": "x" * 391}),
        ImageBlock(media_type="image/png", data="A" * 100_000),
        DocumentBlock(media_type="text/plain", data="x" * 4000),
        DocumentBlock(media_type="application/pdf", data="A" * 12_000),
    )
    message = Message(message_id="m", role="user", blocks=blocks, created_at=datetime(2026, 11, 22, tzinfo=UTC))
    assert estimate_message(message) == MESSAGE_OVERHEAD + 100 + 20 + 101 + IMAGE_TOKENS + 1000 + 1000
