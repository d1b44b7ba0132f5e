"""A ledger in memory: for tests and the library without AWS."""

from pentad.domain.models import Attempt

MAX_ATTEMPTS = 100_000


class MemoryLedger:
    """A `pentad.models.ports.Ledger` that lives as long as the object; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; see the port."""
        self._attempts.setdefault(attempt.attempt_id, attempt)
        while len(self._attempts) > MAX_ATTEMPTS:
            del self._attempts[next(iter(self._attempts))]

    def of_run(self, tenant: str, run: str) -> list[Attempt]:
        """Return a run's attempts; see the port."""
        found = [each for each in self._attempts.values() if (each.context.tenant, each.context.run) == (tenant, run)]
        return sorted(found, key=lambda attempt: (attempt.started_at, attempt.attempt_id))

    @property
    def all(self) -> list[Attempt]:
        """Every attempt, in the order of recording."""
        return list(self._attempts.values())
