"""The span of a model attempt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.models import Attempt, CallContext, Outcome, StopReason
from pentad.domain.tracing import TraceContext, enter_place, find_root_place
from pentad.domain.usage import Usage
from pentad.models.ledger.attempt_spans import build_span, find_attempt_place
from pentad.observability.spans.conventions import check_span

START = datetime(2026, 11, 30, 12, tzinfo=UTC)


def attempt(**values: Any) -> Attempt:
    fields: dict[str, Any] = {
        "attempt_id": "att_1",
        "context": CallContext(tenant_id="acme", agent="assistant", session_id="ses_1", run_id="run_1", step=2),
        "provider": "anthropic",
        "model": "m-1",
        "tier": "primary",
        "link": 0,
        "number": 1,
        "outcome": Outcome.OK,
        "started_at": START,
        "duration_ms": 250,
        "usage": Usage(
            input_tokens=10, output_tokens=5, cache_read_tokens=100, cache_write_5m_tokens=3, cache_write_1h_tokens=4
        ),
        "cost_nanousd": 99,
        "request_id": "req_1",
    }
    return Attempt.model_validate(fields | values)


def test_it_says_tokens_cost_and_why_the_model_stopped() -> None:
    span = build_span(attempt(), "chat", StopReason.TOOL_CALLS)
    check_span(span.name, span.kind, span.attributes)
    assert (span.name, span.kind, span.error) == ("chat m-1", "CLIENT", None)
    assert span.end - span.start == timedelta(milliseconds=250)
    expected = {
        "gen_ai.usage.input_tokens": 117,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 7,
        "gen_ai.response.finish_reasons": ("tool_call",),
        "gen_ai.conversation.id": "ses_1",
        "pentad.cost.nanousd": 99,
        "pentad.step": 2,
    }
    assert expected.items() <= span.attributes.items()


@pytest.mark.parametrize("stop", list(StopReason))
def test_every_reason_to_stop_has_a_word(stop: StopReason) -> None:
    check_span("chat m-1", "CLIENT", build_span(attempt(), "chat", stop).attributes)


@pytest.mark.parametrize(("ours", "theirs"), [("bedrock", "aws.bedrock"), ("openai", "openai"), ("groq", "groq")])
def test_providers_have_the_conventions_names(ours: str, theirs: str) -> None:
    assert build_span(attempt(provider=ours), "chat", None).attributes["gen_ai.provider.name"] == theirs


def test_a_failure_is_named_and_embeddings_are_their_own_operation() -> None:
    span = build_span(attempt(outcome=Outcome.RATE_LIMIT), "embeddings", None)
    assert (span.name, span.error) == ("embeddings m-1", "rate_limit")
    assert "gen_ai.response.finish_reasons" not in span.attributes


def test_it_is_below_what_is_open_else_below_its_run() -> None:
    root, outer = find_root_place("acme", "run_1"), TraceContext("a" * 32, "b" * 16)
    span = build_span(attempt(), "chat", None)
    assert (span.place.trace_id, span.parent_id) == (root.trace_id, root.span_id)
    with enter_place(outer):
        inside = build_span(attempt(), "chat", None)
        assert inside.place == find_attempt_place(attempt())
    assert (inside.place.trace_id, inside.parent_id) == (outer.trace_id, outer.span_id)
    assert inside.place.span_id == span.place.span_id
    assert build_span(attempt(attempt_id="att_2"), "chat", None).place.span_id != span.place.span_id


def test_what_belongs_to_no_run_and_nothing_open_is_a_trace_of_its_own() -> None:
    span = build_span(attempt(context=CallContext(tenant_id="acme", purpose="embed_document")), "embeddings", None)
    assert span.parent_id is None
