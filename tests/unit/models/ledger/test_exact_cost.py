"""From a provider's usage document to nano-dollars, each worked by hand; and what holds of every sum on the ledger.

Rounding: an attempt's parts are summed exactly and rounded once, half to even. Sums of attempts are sums of integers.
"""

from fractions import Fraction
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.catalog.pricing import cost_of, rates_for
from pentad.models.ledger.spend import Row
from pentad.models.providers.adapters import anthropic_wire, openai_wire
from tests.unit.models.samples import CATALOG, GPT, HAIKU, LUNA, SONNET

ANTHROPIC: list[tuple[str, ModelEntry, dict[str, Any], int]] = [
    (
        "plain",
        SONNET,
        {"input_tokens": 2_095, "output_tokens": 503},
        # 2,095 x 2,000 = 4,190,000; 503 x 10,000 = 5,030,000
        9_220_000,
    ),
    (
        "cached read, and writes of both lifetimes",
        SONNET,
        {
            "input_tokens": 21,
            "cache_read_input_tokens": 188_086,
            "cache_creation_input_tokens": 556,
            "cache_creation": {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 393,
        },
        # 21 x 2,000 = 42,000; 188,086 x 100 = 18,808,600; 456 x 2,500 = 1,140,000; 100 x 4,000 = 400,000;
        # 393 x 10,000 = 3,930,000
        24_320_600,
    ),
    (
        "a write without its lifetimes is of five minutes",
        SONNET,
        {"input_tokens": 0, "cache_creation_input_tokens": 1_000, "output_tokens": 1},
        # 1,000 x 2,500 = 2,500,000; 1 x 10,000
        2_510_000,
    ),
    (
        "thinking is in the output already",
        SONNET,
        {"input_tokens": 10, "output_tokens": 900, "output_tokens_details": {"thinking_tokens": 800}},
        # 10 x 2,000 = 20,000; 900 x 10,000 = 9,000,000
        9_020_000,
    ),
    (
        "a long context, cached tokens counted to its length",
        HAIKU,
        {
            "input_tokens": 1,
            "cache_read_input_tokens": 99_000,
            "cache_creation_input_tokens": 1_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_000},
            "output_tokens": 100,
        },
        # 100,001 in: $0.50 -> 1 x 500; $0.05 -> 99,000 x 50 = 4,950,000; $1 -> 1,000 x 1,000 = 1,000,000;
        # $2.50 -> 100 x 2,500 = 250,000
        6_200_500,
    ),
    (
        "one cached token of a small model",
        HAIKU,
        {"input_tokens": 0, "cache_read_input_tokens": 1, "output_tokens": 0},
        10,
    ),
]
OPENAI: list[tuple[str, ModelEntry, dict[str, Any], int]] = [
    (
        "input includes what was cached, ours does not",
        GPT,
        {
            "input_tokens": 2_006,
            "input_tokens_details": {"cached_tokens": 1_920},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 200},
            "total_tokens": 2_306,
        },
        # 86 x 2,000 = 172,000; 1,920 x 100 = 192,000; 300 x 10,000 = 3,000,000
        3_364_000,
    ),
    (
        "cache writes of both lifetimes",
        GPT,
        {
            "input_tokens": 5_000,
            "input_tokens_details": {
                "cached_tokens": 1_000,
                "cache_write_tokens": 3_000,
                "cache_write_tokens_details": {"ttl_12h_tokens": 500},
            },
            "output_tokens": 10,
        },
        # 1,000 x 2,000 = 2,000,000; 1,000 x 100 = 100,000; 2,500 x 2,500 = 6,250,000; 500 x 5,000 = 2,500,000;
        # 10 x 10,000 = 100,000
        10_950_000,
    ),
    (
        "a long context, one token above the bound",
        LUNA,
        {"input_tokens": 272_001, "input_tokens_details": {"cached_tokens": 2_001}, "output_tokens": 1_000},
        # $0.20 -> 270,000 x 200 = 54,000,000; $0.02 -> 2,001 x 20 = 40,020; $0.75 -> 1,000 x 750 = 750,000
        54_790_020,
    ),
    (
        "the longest short context",
        LUNA,
        {"input_tokens": 272_000, "output_tokens": 1_000},
        # $0.10 -> 272,000 x 100 = 27,200,000; $0.50 -> 1,000 x 500 = 500,000
        27_700_000,
    ),
]


@pytest.mark.parametrize(("name", "model", "document", "nanodollars"), ANTHROPIC, ids=[each[0] for each in ANTHROPIC])
def test_anthropics_usage(name: str, model: ModelEntry, document: dict[str, Any], nanodollars: int) -> None:
    usage = anthropic_wire._decode_usage(document)
    assert usage is not None
    assert cost_of(model, usage) == nanodollars


@pytest.mark.parametrize(("name", "model", "document", "nanodollars"), OPENAI, ids=[each[0] for each in OPENAI])
def test_openais_usage(name: str, model: ModelEntry, document: dict[str, Any], nanodollars: int) -> None:
    usage = openai_wire.decode_usage(document)
    assert usage is not None
    assert cost_of(model, usage) == nanodollars


_counts = st.integers(min_value=0, max_value=400_000)
_usages = st.builds(
    Usage,
    input_tokens=_counts,
    output_tokens=_counts,
    cache_read_tokens=_counts,
    cache_write_5m_tokens=_counts,
    cache_write_1h_tokens=_counts,
)
_chat = [model for model in CATALOG.models.values() if model.kind == "chat"]
_rows = st.builds(
    Row, key=st.just("k"), attempts=st.integers(0, 10**6), tokens=_counts, cost_nanousd=st.integers(0, 10**18)
)


@given(st.sampled_from(_chat), _usages)
def test_a_cost_is_within_half_a_nano_dollar_of_the_exact_one(model: ModelEntry, usage: Usage) -> None:
    rates = rates_for(model, usage)
    exact = Fraction(
        usage.input_tokens * rates.input
        + usage.output_tokens * rates.output
        + usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h,
        1_000_000,
    )
    assert abs(cost_of(model, usage) - exact) <= Fraction(1, 2)


@given(_rows, _rows, _rows)
def test_sums_are_associative_and_commutative(first: Row, second: Row, third: Row) -> None:
    assert (first + second) + third == first + (second + third) == third + (second + first)


@given(st.lists(_usages, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_attempts_does_not_change_their_sum(usages: list[Usage], luck: Any) -> None:
    shuffled = list(usages)
    luck.shuffle(shuffled)
    assert sum(cost_of(GPT, each) for each in shuffled) == sum(cost_of(GPT, each) for each in usages)
    assert reduce(lambda one, other: one + other, shuffled) == reduce(lambda one, other: one + other, usages)
