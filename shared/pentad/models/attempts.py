"""Put each request on the wire on the ledger, with what it cost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pentad.domain.models import Attempt, CallContext, Outcome
from pentad.domain.usage import Usage
from pentad.models.catalog import Link
from pentad.models.ports import Ledger
from pentad.models.pricing import cost

MakeId = Callable[[str, datetime], str]


@dataclass
class Attempts:
    """The attempts of one call of the gateway, each on the ledger before the next is made.

    A ledger that does not answer stops the call: a request that can't be accounted for is not repeated.

    Args:
        context: on whose behalf.
        tier: the tier that was asked.
        ledger: where they are kept.
        clock: ``time.time``.
        ids: makes ids.
    """

    context: CallContext
    tier: str
    ledger: Ledger
    clock: Callable[[], float]
    ids: MakeId
    made: list[Attempt] = field(default_factory=list)

    def record(
        self,
        link: Link,
        started: float,
        outcome: Outcome,
        *,
        usage: Usage | None = None,
        request_id: str | None = None,
        error: str | None = None,
    ) -> None:
        """Append one attempt; raises StoreUnavailable where the ledger does not answer.

        Args:
            link: which model.
            started: when, in the clock's seconds.
            outcome: what became of it.
            usage: tokens that are billed.
            request_id: the provider's id.
            error: class and status.
        """
        at = datetime.fromtimestamp(started, UTC)
        spent, duration = usage or Usage(), round((self.clock() - started) * 1000)
        attempt = Attempt(
            attempt_id=self.ids("att", at),
            context=self.context,
            provider=link.model.provider,
            model=link.model.name,
            tier=self.tier,
            link=link.position,
            number=len(self.made) + 1,
            outcome=outcome,
            started_at=at,
            duration_ms=max(0, duration),
            usage=spent,
            cost_nanousd=cost(link.model, spent),
            request_id=request_id,
            error=error and error[:500],
        )
        self.made.append(attempt)
        self.ledger.record(attempt)

    @property
    def usage(self) -> Usage:
        """Tokens of all attempts."""
        total = Usage()
        for attempt in self.made:
            total = total + attempt.usage
        return total

    @property
    def cost_nanousd(self) -> int:
        """Nano-dollars of all attempts."""
        return sum(attempt.cost_nanousd for attempt in self.made)
