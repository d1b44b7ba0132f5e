"""What is asked of the ledger, and of those who add it up."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from pentad.domain.models import Attempt

if TYPE_CHECKING:
    from pentad.models.ledger.spend import By, Spending


class Ledger(Protocol):
    """Every attempt on the wire, begun before it is sent and recorded when its outcome is known."""

    def begin(self, attempt: Attempt) -> None:
        """Append that a request is about to be sent, so that it is seen even if this process is killed meanwhile.

        Args:
            attempt: with the outcome ``begun``.

        Raises:
            StoreUnavailable: the store did not answer; then it must not be sent.
        """
        ...

    def cancel(self, attempt: Attempt) -> None:
        """Append that an attempt that was begun was not sent after all.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; the same attempt_id again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def list_for_run(self, tenant_id: str, run_id: str, *, since: datetime | None = None) -> list[Attempt]:
        """Return a run's attempts in the order they were made; ``begun`` are those without a recorded outcome.

        Args:
            tenant_id: the tenant.
            run_id: the run.
            since: only those that began then or later.
        """
        ...


class SpendReader(Protocol):
    """What was spent: sums over the ledger."""

    def read(
        self, tenant_id: str, by: By, first: date, last: date, *, user_id: str | None, limit: int = 1000
    ) -> Spending:
        """Return a tenant's spend of some days, both included, by a dimension.

        Args:
            tenant_id: whose.
            by: the dimension.
            first: the first day (UTC).
            last: the last day.
            user_id: whose alone, by day or by user; None is everybody's.
            limit: rows at most, the dearest; the rest are summed up.

        Raises:
            InvalidInput: the days hold more counters than one question may read, or one user's are not known that way.
            StoreUnavailable: the store did not answer.
        """
        ...
