"""What is told to tracing products of feedback: a span below the run's root, without anybody's words. Pure."""

from pentad.domain.runs import Run
from pentad.domain.tracing import EndedSpan, SpanValue, TraceContext, derive_span_id, find_run_place
from pentad.observability.feedback.ports import Feedback

FEEDBACK_ID, SCORE, VERDICT = "pentad.feedback.id", "pentad.feedback.score", "pentad.feedback.verdict"
"""Attributes of the span: those by which the exporter makes an annotation of it."""


def build_feedback_span(run: Run, given: Feedback) -> EndedSpan:
    """Return the span of what somebody says now of an answer or a citation: a repeat is the same span.

    Comments and corrections are not in it, nor is who gave them: spans are lines of a function's log.
    """
    root = find_run_place(run)
    told: dict[str, SpanValue | None] = {
        "gen_ai.agent.name": given.agent,
        "gen_ai.conversation.id": given.session_id,
        "pentad.tenant": given.tenant_id,
        "pentad.run": given.run_id,
        FEEDBACK_ID: given.feedback_id,
        "pentad.feedback.version": given.version,
        "pentad.feedback.confidence": given.confidence,
        SCORE: given.score,
        VERDICT: given.verdict,
    }
    return EndedSpan(
        name="feedback answer" if given.citation is None else "feedback citation",
        place=TraceContext(root.trace_id, derive_span_id(root.span_id, "feedback", given.feedback_id, given.version)),
        start=given.changed_at,
        end=given.changed_at,
        parent_id=root.span_id,
        attributes={name: value for name, value in told.items() if value is not None},
    )
