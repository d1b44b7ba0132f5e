"""Let a request through, or say when to come again. One typed place for all rates of the API: `RateLimits`.

Requests are counted in windows of a minute, one conditional write for each subject, so a process that dies in between
has counted at most one request too many. Reads are counted here, and written down by `BATCH`: with so many processes at
once that each has fewer, as many more come through. What can't be counted goes through: budgets still hold, and a limit
against outages must not be one.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pentad.api.identity.caller import Caller
from pentad.api.identity.tokens import JWT_CALLER
from pentad.api.rates.kinds import Kind
from pentad.api.rates.ports import RateCounter
from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.domain.ids import hash_user
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

WINDOW_SECONDS = 60
BATCH = 20
"""Reads of one subject that a process counts before it writes them down."""
_MOST_SUBJECTS = 10_000


@dataclass(frozen=True)
class RequestRate:
    """Requests in a minute. A token of a user has the user's rate and no key's."""

    key: int
    user: int
    tenant: int


@dataclass(frozen=True)
class RateLimits:
    """Requests in a minute by what they are counted as; `pentad.api.rates.kinds.KINDS` says what that is."""

    starts: RequestRate = RequestRate(key=600, user=120, tenant=1_200)
    queue: RequestRate = RequestRate(key=3_000, user=3_000, tenant=3_000)
    changes: RequestRate = RequestRate(key=600, user=240, tenant=1_200)
    waits: RequestRate = RequestRate(key=300, user=120, tenant=600)
    bulk: RequestRate = RequestRate(key=6, user=6, tenant=12)
    reads: RequestRate = RequestRate(key=3_000, user=3_000, tenant=12_000)


class RequestRates:
    """Counts requests.

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
        self._window = 0
        self._unwritten: Counter[tuple[str, str]] = Counter()
        self._full: set[tuple[str, str]] = set()

    def admit(self, caller: Caller, kind: Kind) -> None:
        """Return if the caller may make a request now.

        Args:
            caller: who asks.
            kind: as what it is counted.

        Raises:
            ModelThrottled: the key, the user or the tenant has made as many in this minute; ``retry_after`` says when
                the next begins.
        """
        now = self._clock()
        window = int(now) // WINDOW_SECONDS * WINDOW_SECONDS
        self._forget_others(window)
        try:
            for what, subject, most in self._iter_subjects(caller, kind):
                if not self._take(caller.tenant_id, subject, most, by=BATCH if kind == "reads" else 1):
                    raise self._refuse(what, most, window + WINDOW_SECONDS - now)
        except StoreUnavailable as error:
            self._telemetry.log_event("rates.uncounted", level="WARNING", error=error.message)

    def _take(self, tenant_id: str, subject: str, most: int, *, by: int) -> bool:
        """Count one request, and write it down with as many others; what was full stays so in this minute."""
        place = (tenant_id, subject)
        if place in self._full:
            return False
        self._unwritten[place] += 1
        if self._unwritten[place] < min(by, most):
            return True
        if self._counter.take(tenant_id, subject, window=self._window, most=most, count=self._unwritten.pop(place)):
            return True
        self._full.add(place)
        return False

    def _forget_others(self, window: int) -> None:
        if window != self._window or len(self._unwritten) + len(self._full) > _MOST_SUBJECTS:
            self._window = window
            self._unwritten.clear()
            self._full.clear()

    def _iter_subjects(self, caller: Caller, kind: Kind) -> Iterator[tuple[str, str, int]]:
        """Yield what is counted, the narrowest first: a key that has none left takes nothing from its tenant."""
        rate: RequestRate = getattr(self._limits, kind)
        begin = "" if kind == "starts" else f"{kind}#"
        if caller.key_id != JWT_CALLER or caller.user_id is None:
            # All tokens of a tenant have one key's name: what they have in common is the tenant's.
            yield "key", f"{begin}key#{caller.key_id}", rate.key
        if caller.user_id is not None:
            yield "user", f"{begin}user#{hash_user(caller.user_id)}", rate.user
        yield "tenant", f"{begin}all", rate.tenant

    def _refuse(self, what: str, most: int, seconds: float) -> ModelThrottled:
        self._telemetry.log_event("rates.refused", level="WARNING", subject=what)
        self._telemetry.count(names.RATE_REFUSALS)
        return ModelThrottled(
            f"this {what} may make {most} such requests in a minute",
            retry_after=max(1.0, seconds),
            fix="wait as long as Retry-After says",
        )
