"""How long a run has waited for humans, where it may wait for several at once. Pure."""

from collections.abc import Sequence
from datetime import datetime

from pentad.domain.runs import Approval, ApprovalStatus


def is_waiting(approvals: Sequence[Approval]) -> bool:
    """Tell whether any human still owes a decision."""
    return any(one.status is ApprovalStatus.PENDING for one in approvals)


def waited_seconds(last: Approval, others: Sequence[Approval], until: datetime) -> float:
    """Return how long a run has waited without a break, as the last of its open approvals is decided.

    Args:
        last: the approval that was decided last.
        others: the run's others, all decided.
        until: when it was decided.
    """
    since = last.asked
    for one in sorted(others, key=lambda one: one.decided_at or until, reverse=True):
        if (one.decided_at or until) >= since:
            since = min(since, one.asked)
    return max(0.0, (until - since).total_seconds())
