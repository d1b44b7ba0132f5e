"""What an attempt costs: exact integer nano-dollars from reported usage and dated prices."""

from pentad.domain.money import per_million
from pentad.domain.usage import Usage
from pentad.models.catalog import ModelEntry, Rates


def rates_for(model: ModelEntry, usage: Usage) -> Rates:
    """Return the rates that apply: above the bound, those of a long context are for every token of the request."""
    long_context = model.prices.long_context
    if long_context is not None and usage.total_tokens - usage.output_tokens > long_context.above_tokens:
        return long_context
    return model.prices


def cost(model: ModelEntry, usage: Usage) -> int:
    """Return the cost in nano-dollars.

    The five counts are priced together and rounded once, half to even, so no fraction is lost or counted twice.
    Thinking tokens are part of the output tokens.
    """
    rates = rates_for(model, usage)
    exact = (
        usage.input_tokens * rates.input
        + usage.output_tokens * rates.output
        + usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
    )
    return per_million(exact, 1)
