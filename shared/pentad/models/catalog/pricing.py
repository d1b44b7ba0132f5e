"""What an attempt costs: exact integer nano-dollars from reported usage and dated prices."""

from pentad.domain.money import per_million
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry, Rates


def rates_for(model: ModelEntry, usage: Usage, *, batch: bool = False) -> Rates:
    """Return the rates that apply: above the bound, those of a long context are for every token of the request.

    Args:
        model: the model.
        usage: what was used.
        batch: it was a request of the provider's batch API; its ordinary rates where it has no others.
    """
    prices = model.prices.batch if batch and model.prices.batch is not None else model.prices
    long_context = prices.long_context
    if long_context is not None and usage.total_tokens - usage.output_tokens > long_context.above_tokens:
        return long_context
    return prices


def cost_of(model: ModelEntry, usage: Usage, *, batch: bool = False) -> int:
    """Return the cost in nano-dollars.

    All counts are priced together and rounded once, half to even, so no fraction is lost or counted twice.
    Thinking tokens are part of the output tokens, and have a price of their own where the catalog gives one.

    Args:
        model: the model.
        usage: what was used.
        batch: see `rates_for`.
    """
    rates = rates_for(model, usage, batch=batch)
    thinking = min(usage.thinking_tokens, usage.output_tokens)
    exact = (
        usage.input_tokens * rates.input
        + (usage.output_tokens - thinking) * rates.output
        + thinking * (rates.output if rates.thinking is None else rates.thinking)
        + usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
    )
    return per_million(exact, 1)


def compute_cache_savings(model: ModelEntry, usage: Usage) -> int:
    """Return by how many nano-dollars a provider's cache made a request cheaper; below 0: its writes cost more.

    Args:
        model: the model.
        usage: what was used.
    """
    cached = usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    if not cached:
        return 0
    none = {"cache_read_tokens": 0, "cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0}
    plain = usage.model_copy(update=none | {"input_tokens": usage.input_tokens + cached})
    return cost_of(model, plain) - cost_of(model, usage)


def worst_case(model: ModelEntry, input_tokens: int, output_tokens: int) -> int:
    """Return the most that one request can cost, in nano-dollars, rounded up.

    Every input token is priced as the dearest kind it can be (fresh, read from the cache, written to it for short or
    for long), every output token of the cap as used.

    Args:
        model: which model.
        input_tokens: an estimate that errs on the side of too many.
        output_tokens: the reply's cap.
    """
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    rates = rates_for(model, usage)
    dearest = max(rates.input, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h)
    written = max(rates.output, rates.thinking or 0)
    return -(-(input_tokens * dearest + output_tokens * written) // 1_000_000)
