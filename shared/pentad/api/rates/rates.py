"""Let a costly request through, or say when to come again. One typed place for all rates: `RateLimits`.

Requests are counted in windows of a minute, one conditional write for each subject, so a process that dies in between
has counted at most one request too many. What can't be counted goes through: budgets still hold, and a limit against
outages must not be one.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pentad.api.identity.caller import Caller
from pentad.api.rates.ports import RateCounter
from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.domain.ids import hash_user
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

WINDOW_SECONDS = 60
COSTLY_ROUTES = frozenset(
    {
        "start_run",
        "fork_run",
        "complete",
        "embed",
        "upload_document",
        "upload_documents",
        "reingest_document",
        "start_bulk_ingest",
        "undo",
        "undo_run",
        "erase_user",
        "verify_erasure",
        "give_feedback",
    }
)
"""Routes whose requests start models, tools, ingestion or an erasure, or tell
memory; names of `pentad.api.routes.ROUTES`."""


@dataclass(frozen=True)
class RateLimits:
    """Costly requests in a minute."""

    key: int = 600
    user: int = 120
    tenant: int = 1_200


class RequestRates:
    """Counts costly requests.

    Args:
        counter: where they are counted.
        telemetry: logs and metrics.
        limits: how many there may be.
        clock: ``time.time``.
    """

    def __init__(
        self,
        counter: RateCounter,
        telemetry: Telemetry,
        *,
        limits: RateLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._counter = counter
        self._telemetry = telemetry
        self._limits = limits or RateLimits()
        self._clock = clock

    def admit(self, caller: Caller, route: str) -> None:
        """Return if the caller may make the request now.

        Args:
            caller: who asks.
            route: the route's name.

        Raises:
            ModelThrottled: the key, the user or the tenant has made as many in this minute; ``retry_after`` says when
                the next begins.
        """
        if route not in COSTLY_ROUTES:
            return
        now = self._clock()
        window = int(now) // WINDOW_SECONDS * WINDOW_SECONDS
        try:
            for what, subject, most in self._iter_subjects(caller):
                if not self._counter.take(caller.tenant_id, subject, window=window, most=most):
                    raise self._refuse(what, most, window + WINDOW_SECONDS - now)
        except StoreUnavailable as error:
            self._telemetry.log_event("rates.uncounted", level="WARNING", error=error.message)

    def _iter_subjects(self, caller: Caller) -> Iterator[tuple[str, str, int]]:
        """Yield what is counted, the narrowest first: a key that has none left takes nothing from its tenant."""
        yield "key", f"key#{caller.key_id}", self._limits.key
        if caller.user_id is not None:
            yield "user", f"user#{hash_user(caller.user_id)}", self._limits.user
        yield "tenant", "all", self._limits.tenant

    def _refuse(self, what: str, most: int, seconds: float) -> ModelThrottled:
        self._telemetry.log_event("rates.refused", level="WARNING", subject=what)
        self._telemetry.count(names.RATE_REFUSALS)
        return ModelThrottled(
            f"this {what} may make {most} such requests in a minute",
            retry_after=max(1.0, seconds),
            fix="wait as long as Retry-After says",
        )
