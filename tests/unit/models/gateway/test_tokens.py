"""The token estimate errs on the side of too many, and costs little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.messages import (
    CitablePassage,
    CitableText,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
)
from pentad.models.gateway.tokens import estimate_message, estimate_request, estimate_tokens
from tests.unit.models.samples import ADD, call, request, user


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog.", 10, 15),  # 10 tokens in today's tokenizers
        ("def main() -> None:\n    return 1\n", 9, 14),
        ("日本語の文章です。", 9, 18),
        ("Größenordnungsmäßig", 5, 9),
    ],
)
def test_estimates_are_near_and_not_below(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_never_counts_less(first: str, second: str) -> None:
    assert estimate_tokens(first + second) >= max(estimate_tokens(first), estimate_tokens(second))


def test_every_kind_of_block_counts() -> None:
    blocks: list[ContentBlock] = [
        TextBlock(text="x" * 70),
        ImageBlock(media_type="image/png", data="AAAA"),
        DocumentBlock(media_type="application/pdf", data="A" * 400_000),
        DocumentBlock(media_type="text/plain", data="x" * 700),
        ThinkingBlock(text="x" * 70, signature="s", provider="anthropic"),
        call(),
        ToolResultBlock(call_id="c1", content="x" * 70),
    ]
    alone = [estimate_message(user(block)) for block in blocks]
    assert min(alone) > estimate_message(user())
    assert estimate_message(user(*blocks)) == sum(alone) - 6 * estimate_message(user())


def test_passages_that_are_blocks_of_their_own_count_more() -> None:
    passage = CitablePassage(marker="[cite:aaaaa2]", source="a.md", title="A", text="x" * 70)
    citable = CitableText(passages=(passage, passage), after="x" * 700)
    for block in (TextBlock(text="x" * 140), ToolResultBlock(call_id="c1", content="x" * 140)):
        apart = block.model_copy(update={"citable": citable})
        assert estimate_message(user(apart)) == estimate_message(user(block)) + 16


def test_tools_and_the_models_factor_count() -> None:
    plain = estimate_request(request())
    assert estimate_request(request(tools=(ADD,))) > plain
    assert estimate_request(request(), factor=2.0) == 2 * plain
