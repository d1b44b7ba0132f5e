"""How long an approval's task waits, and how long a run has waited for humans. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from pentad.domain.runs import Approval, ApprovalStatus


def is_waiting(approvals: Sequence[Approval]) -> bool:
    """Tell whether any human still owes a decision."""
    return any(one.status is ApprovalStatus.PENDING for one in approvals)


def compute_waited(last: Approval, others: Sequence[Approval], until: datetime) -> float:
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


def wait_seconds(approval: Approval, now: datetime) -> int:
    """Return how long a pending approval's task waits now: to the next reminder or the expiry, at least 1 s."""
    until = approval.expires_at
    if approval.remind_seconds is not None:
        until = min(until, approval.asked + timedelta(seconds=approval.remind_seconds * (approval.reminded + 1)))
    return max(1, ceil((until - now).total_seconds()))


def compute_first_wait(seconds: int, remind_seconds: int | None) -> int:
    """Return how long a new approval's task waits.

    Args:
        seconds: how long the approval waits in all.
        remind_seconds: a reminder each so many seconds; None for none.
    """
    return seconds if remind_seconds is None else min(seconds, remind_seconds)
