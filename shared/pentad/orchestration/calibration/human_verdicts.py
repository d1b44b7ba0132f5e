"""What a closed review, or a decided approval, says of the turn that it is about. Pure."""

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from pentad.domain.ids import AgentName, RunId, UserId
from pentad.domain.runs import Approval, ApprovalStatus, Review
from pentad.domain.values import FrozenValue

_SYSTEM: Final = "system"
"""Who decides where nobody did in time."""
_OF_TURNS: Final = frozenset({"confidence", "escalated"})
"""Causes of reviews that are about a turn; the others are about how its run ended."""


class HumanVerdict(FrozenValue):
    """A human's verdict on a turn that was rated."""

    source: Literal["review", "approval"]
    run_id: RunId
    step: int = Field(ge=1)
    agent: AgentName
    user_id: UserId | None = Field(default=None, description="the run's user")
    confidence: float = Field(ge=0, le=1)
    correct: bool
    at: datetime


def judge_review(review: Review) -> HumanVerdict | None:
    """Return the verdict of a review; None of one that is open, or not about a turn that was rated."""
    if review.verdict is None or review.closed_at is None or review.confidence is None or review.cause not in _OF_TURNS:
        return None
    return HumanVerdict(
        source="review",
        run_id=review.run_id,
        step=review.step,
        agent=review.agent,
        user_id=review.user_id,
        confidence=review.confidence,
        correct=review.verdict == "correct",
        at=review.closed_at,
    )


def judge_approval(approval: Approval) -> HumanVerdict | None:
    """Return what an approval says of its turn; None where it says nothing.

    What was approved as it was is right; what was edited or rejected is wrong. A question has no right answer, who
    takes over from an agent that escalated need not have judged it, and time that ran out is nobody's verdict.
    """
    correct = _find_verdict(approval)
    if correct is None or approval.confidence is None or approval.decided_at is None or approval.decided_by == _SYSTEM:
        return None
    return HumanVerdict(
        source="approval",
        run_id=approval.run_id,
        step=approval.step,
        agent=approval.agent,
        user_id=approval.user_id,
        confidence=approval.confidence,
        correct=correct,
        at=approval.decided_at,
    )


def _find_verdict(approval: Approval) -> bool | None:
    as_it_was = approval.reply is None and not any(call.edited for call in approval.calls)
    if approval.kind == "escalation":
        return True if approval.drafts and approval.status is ApprovalStatus.APPROVED and as_it_was else None
    if approval.kind == "question" or approval.status not in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}:
        return None
    return approval.status is ApprovalStatus.APPROVED and as_it_was
