"""Costs worked by hand from the providers' price lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.usage import Usage
from pentad.models.catalog.pricing import compute_cache_savings, cost_of
from tests.unit.models.samples import CATALOG, GPT, HAIKU, SONNET


def test_anthropic_with_cached_reads_and_writes_of_both_lifetimes() -> None:
    usage = Usage(
        input_tokens=1_000,
        output_tokens=500,
        cache_read_tokens=20_000,
        cache_write_5m_tokens=3_000,
        cache_write_1h_tokens=400,
        thinking_tokens=200,
    )
    # $2.00: 1,000 -> 2,000,000; $10: 500 -> 5,000,000; $0.10: 20,000 -> 2,000,000; $2.50: 3,000 -> 7,500,000;
    # $4.00: 400 -> 1,600,000 nano-dollars. Thinking is in the output already.
    assert cost_of(SONNET, usage) == 18_100_000


def test_openai_with_cached_reads() -> None:
    # $2.00: 800 -> 1,600,000; $10: 100 -> 1,000,000; $0.10: 1,200 -> 120,000.
    assert cost_of(GPT, Usage(input_tokens=800, output_tokens=100, cache_read_tokens=1_200)) == 2_720_000


def test_a_single_cached_token_of_a_small_model_is_ten_nano_dollars() -> None:
    assert cost_of(HAIKU, Usage(cache_read_tokens=1)) == 10


def test_what_a_cache_saves_is_the_price_without_it_less_the_cost() -> None:
    # $2.00 for what $0.10 was paid: 20,000 -> 38,000,000; writes at $2.50 and $4.00 cost more: 3,000 and 400.
    used = Usage(input_tokens=1_000, output_tokens=500, cache_read_tokens=20_000)
    assert compute_cache_savings(SONNET, used) == 38_000_000
    written = used.model_copy(update={"cache_write_5m_tokens": 3_000, "cache_write_1h_tokens": 400})
    assert compute_cache_savings(SONNET, written) == 38_000_000 - 1_500_000 - 800_000
    assert compute_cache_savings(SONNET, Usage(input_tokens=1_000, output_tokens=5)) == 0


def test_embeddings() -> None:
    # $0.02 a million: 20 nano-dollars a token.
    assert cost_of(CATALOG.models["text-embedding-3-small"], Usage(input_tokens=1_234)) == 24_680


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # At the bound of 100,000 input tokens the short price holds for all: $0.10 and $0.50.
        (Usage(input_tokens=100_000, output_tokens=1_000), 10_500_000),
        # One above it the long price holds for all, cached ones counted: $0.50, $2.50 and $0.05.
        (Usage(input_tokens=50_001, cache_read_tokens=50_000, output_tokens=1_000), 30_000_500),
    ],
)
def test_a_long_context_is_priced_as_a_whole(usage: Usage, expected: int) -> None:
    assert cost_of(HAIKU, usage) == expected


def test_a_batch_has_its_own_prices() -> None:
    # $1.00: 1,000 -> 1,000,000; $5: 500 -> 2,500,000; $0.05: 2,000 -> 100,000.
    usage = Usage(input_tokens=1_000, output_tokens=500, cache_read_tokens=2_000)
    assert cost_of(SONNET, usage, batch=True) == 3_600_000
    assert cost_of(CATALOG.models["claude-sonnet-5-5-bedrock"], usage, batch=True) == 7_200_000  # it has none


def test_thinking_has_its_own_price_where_the_catalog_gives_one() -> None:
    dear = SONNET.model_copy(update={"prices": SONNET.prices.model_copy(update={"thinking": 20_000_000_000})})
    # 300 at $10: 3,000,000; 200 at $20: 4,000,000.
    assert cost_of(dear, Usage(output_tokens=500, thinking_tokens=200)) == 7_000_000


_counts = st.integers(min_value=0, max_value=50_000)
_usages = st.builds(Usage, input_tokens=_counts, output_tokens=_counts, cache_read_tokens=_counts)


@given(_usages, _usages)
def test_where_one_price_holds_costs_add_up(first: Usage, second: Usage) -> None:
    assert cost_of(SONNET, first) + cost_of(SONNET, second) == cost_of(SONNET, first + second)
