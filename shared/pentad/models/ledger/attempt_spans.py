"""The span of a model attempt, by the names of OpenTelemetry's conventions for generative AI. Pure."""

from datetime import timedelta
from typing import Literal

from pentad.domain.models import Attempt, Outcome, StopReason
from pentad.domain.tracing import EndedSpan, SpanValue, TraceContext, derive_span_id, find_root_place, get_open_place

Operation = Literal["chat", "embeddings"]
_PROVIDERS = {"bedrock": "aws.bedrock", "gemini": "gcp.gemini", "google": "gcp.gemini"}
"""Our names of providers that the conventions name otherwise."""
_FINISHED = {
    StopReason.END: "stop",
    StopReason.TOOL_CALLS: "tool_call",
    StopReason.MAX_TOKENS: "length",
    StopReason.CONTEXT_OVERFLOW: "length",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "pause",
}


def find_attempt_place(attempt: Attempt) -> TraceContext:
    """Return the place of an attempt's span: below what is open here, else below its run."""
    return TraceContext(_find_parent(attempt).trace_id, derive_span_id("attempt", attempt.attempt_id))


def build_span(attempt: Attempt, operation: Operation, stop: StopReason | None) -> EndedSpan:
    """Return the span of an attempt that is over; it is made where the attempt was.

    Args:
        attempt: as the ledger has it.
        operation: what was asked for.
        stop: why the model stopped, where it answered.
    """
    return EndedSpan(
        name=f"{operation} {attempt.model}",
        place=find_attempt_place(attempt),
        start=attempt.started_at,
        end=attempt.started_at + timedelta(milliseconds=attempt.duration_ms),
        parent_id=_find_parent_id(attempt),
        attributes=_build_attributes(attempt, operation, stop),
        kind="CLIENT",
        error=None if attempt.outcome is Outcome.OK else attempt.outcome.value,
    )


def _find_parent_id(attempt: Attempt) -> str | None:
    known = get_open_place() is not None or attempt.context.run_id is not None
    return _find_parent(attempt).span_id if known else None


def _find_parent(attempt: Attempt) -> TraceContext:
    context = attempt.context
    # What belongs to no run has a trace of its own, where nothing is open.
    return get_open_place() or find_root_place(context.tenant_id, context.run_id or attempt.attempt_id)


def _build_attributes(attempt: Attempt, operation: Operation, stop: StopReason | None) -> dict[str, SpanValue]:
    used, context = attempt.usage, attempt.context
    cache_write = used.cache_write_5m_tokens + used.cache_write_1h_tokens
    told: dict[str, SpanValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _PROVIDERS.get(attempt.provider, attempt.provider),
        "gen_ai.request.model": attempt.model,
        "gen_ai.response.id": attempt.request_id,
        "gen_ai.conversation.id": context.session_id,
        "gen_ai.response.finish_reasons": None if stop is None else (_FINISHED[stop],),
        # The conventions count cached tokens among those of the input; our ledger keeps them apart.
        "gen_ai.usage.input_tokens": used.input_tokens + used.cache_read_tokens + cache_write,
        "gen_ai.usage.output_tokens": used.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": used.cache_read_tokens or None,
        "gen_ai.usage.cache_write.input_tokens": cache_write or None,
        "gen_ai.usage.reasoning.output_tokens": used.thinking_tokens or None,
        "pentad.cost.nanousd": attempt.cost_nanousd,
        "pentad.attempt.id": attempt.attempt_id,
        "pentad.attempt.number": attempt.number,
        "pentad.attempt.outcome": attempt.outcome.value,
        "pentad.attempt.estimated": attempt.is_estimated or None,
        # Replies are not streamed: the conventions' time to the first chunk is of those that are.
        "pentad.attempt.first_byte_ms": attempt.first_byte_ms,
        "pentad.model.tier": attempt.tier,
        "pentad.model.link": attempt.link,
        "pentad.purpose": context.purpose,
        "pentad.agent": context.agent,
        "pentad.step": context.step,
    }
    return {name: value for name, value in told.items() if value is not None}
