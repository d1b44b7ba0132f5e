"""Put on the review list what a human should look at afterwards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pentad.domain.ids import review_id
from pentad.domain.messages import Message
from pentad.domain.runs import Actor, Review, Run, ToolCall
from pentad.domain.values import Page
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.reviews.ports import ReviewStore
from pentad.tools.builtin.humans import ESCALATE

Cause = Literal["confidence", "loop", "limit", "failed", "escalated"]
SUMMARY_CHARACTERS = 500


def build_review(
    run: Run, step: int, cause: Cause, summary: str, *, at: datetime, confidence: float | None = None
) -> Review:
    """Return the review of a step of a run; the same step and cause are the same review.

    Args:
        run: the run.
        step: its step; the last one where the run itself is meant.
        cause: why somebody should look.
        summary: what happened, for the list; cut where it is too long.
        at: when.
        confidence: of the step, where it was assessed.
    """
    return Review(
        tenant_id=run.tenant_id,
        review_id=review_id(run.run_id, step, cause),
        run_id=run.run_id,
        step=step,
        agent=run.agent,
        session_id=run.session_id,
        cause=cause,
        summary=_truncate_text(summary),
        confidence=confidence,
        created_at=at,
        user_id=run.user_id,
    )


def summarise_turn(reply: Message | None, calls: Sequence[ToolCall], *, escalated: bool = False) -> str:
    """Return what a turn did, in a line for the list: its calls with their arguments, or its answer.

    Args:
        reply: what the model said; None where it said nothing.
        calls: what it called.
        escalated: a human was asked before anything came of it: nothing was answered, and nothing was called but
            the tool that escalates.
    """
    if reply is None:
        return "A human was asked to take over." if escalated else ""
    before = escalated and not any(call.tool == ESCALATE for call in calls)
    if not calls:
        return f"{'Drafted, and handed to a human' if before else 'Answered'}: {reply.text}"
    made = (f"{call.tool}({', '.join(f'{name}={value}' for name, value in call.arguments.items())})" for call in calls)
    return f"{'Planned, and handed to a human:' if before else 'Called'} {'; '.join(made)}"


def _truncate_text(summary: str) -> str:
    words = " ".join(summary.split())
    return words if len(words) <= SUMMARY_CHARACTERS else f"{words[: SUMMARY_CHARACTERS - 1]}…"


class CountedReviews:
    """A `ReviewStore` that counts what goes on the list and what comes off it.

    Args:
        inner: keeps the reviews.
        telemetry: metrics and logs.
    """

    def __init__(self, inner: ReviewStore, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    def add(self, review: Review) -> bool:
        """See `ReviewStore`; a repeat is not counted again."""
        new = self._inner.add(review)
        if new:
            self._telemetry.count(names.REVIEWS_OPENED, agent=review.agent, kind=review.cause)
            if review.cause == "escalated":
                self._telemetry.count(names.ESCALATIONS, agent=review.agent)
            self._telemetry.log_event("review.opened", review=review.review_id, cause=review.cause)
        return new

    def get(self, tenant_id: str, review_id: str) -> Review:
        """See `ReviewStore`."""
        return self._inner.get(tenant_id, review_id)

    def list_open(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Review]:
        """See `ReviewStore`."""
        return self._inner.list_open(tenant_id, limit=limit, cursor=cursor)

    def close(
        self,
        tenant_id: str,
        review_id: str,
        *,
        by: str,
        verdict: Literal["correct", "wrong"],
        note: str | None,
        at: datetime,
        actor: Actor | None = None,
    ) -> Review:
        """See `ReviewStore`; the same verdict again is not counted again."""
        closed = self._inner.close(tenant_id, review_id, by=by, verdict=verdict, note=note, at=at, actor=actor)
        if closed.closed_at == at:
            self._telemetry.count(names.REVIEWS_CLOSED, agent=closed.agent, kind=closed.cause, outcome=verdict)
            self._telemetry.log_event("review.closed", review=review_id, verdict=verdict)
        return closed
