"""A ledger in memory: for tests and the library without AWS."""

from datetime import date, datetime

from pentad.domain.models import Attempt, Outcome
from pentad.models.ledger.spend import (
    MAX_ROWS,
    By,
    Spending,
    check_of_one_user,
    hide_user,
    kind_of,
    list_counters,
    row_of,
    summarise,
)

MAX_ATTEMPTS = 100_000


class MemoryLedger:
    """A `pentad.models.ledger.ports.Ledger` and `SpendReader` while the object lives; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}

    def begin(self, attempt: Attempt) -> None:
        """Append that a request is about to be sent; see the port."""
        self._attempts.setdefault(attempt.attempt_id, attempt)

    def cancel(self, attempt: Attempt) -> None:
        """Append that it was not sent; see the port."""
        if self._is_begun(attempt):
            del self._attempts[attempt.attempt_id]

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; see the port."""
        if self._is_begun(attempt):
            self._attempts[attempt.attempt_id] = attempt
        self._attempts.setdefault(attempt.attempt_id, attempt)
        while len(self._attempts) > MAX_ATTEMPTS:
            del self._attempts[next(iter(self._attempts))]

    def list_for_run(self, tenant_id: str, run_id: str, *, since: datetime | None = None) -> list[Attempt]:
        """Return a run's attempts; see the port."""
        found = [
            hide_user(each)
            for each in self._attempts.values()
            if (each.context.tenant_id, each.context.run_id) == (tenant_id, run_id)
            and (since is None or each.started_at >= since)
        ]
        return sorted(found, key=lambda attempt: (attempt.started_at, attempt.attempt_id))

    def _is_begun(self, attempt: Attempt) -> bool:
        known = self._attempts.get(attempt.attempt_id)
        return known is not None and known.outcome is Outcome.BEGUN

    def read(
        self, tenant_id: str, by: By, first: date, last: date, *, user_id: str | None, limit: int = MAX_ROWS
    ) -> Spending:
        """Return a tenant's spend; see `SpendReader`."""
        check_of_one_user(by, user_id)
        counted = [
            (counter, row_of(attempt))
            for attempt in list(self._attempts.values())
            if attempt.context.tenant_id == tenant_id and attempt.outcome is not Outcome.BEGUN
            for counter in list_counters(attempt)
            if counter.kind == kind_of(by, user_id) and first.isoformat() <= counter.day <= last.isoformat()
            if user_id in (None, counter.value)
        ]
        return summarise(by, tenant_id, first, last, counted, limit=limit)

    @property
    def all(self) -> list[Attempt]:
        """Every attempt, in the order of recording."""
        return list(self._attempts.values())
