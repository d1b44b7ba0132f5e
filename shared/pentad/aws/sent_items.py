"""What was sent: an item for each message, so that one that is delivered again is not sent again.

A claim that is neither kept nor given back (its function died) is free again after a while: whether the message was
sent nobody knows, and no order of the two writes avoids both one that comes twice and one that nobody gets.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.table import ConditionFailed, Table
from pentad.domain.errors import EffectUncertain, StoreUnavailable

CLAIM_SECONDS: Final = 60


class SentItems:
    """Claims in a table.

    Args:
        table: the table.
        kind: what is sent, for the items' ``type`` and for messages.
        kept_seconds: how long an item is kept.
        now: the clock.
        most_claims: so often may a message be sent at most, whatever dies meanwhile; None: as often as it is delivered.
    """

    def __init__(
        self,
        table: Table,
        kind: str,
        *,
        kept_seconds: int,
        now: Callable[[], datetime],
        most_claims: int | None = None,
    ) -> None:
        self._table = table
        self._kind = kind
        self._kept_seconds = kept_seconds
        self._now = now
        self._most_claims = most_claims

    def acquire(self, pk: str, sk: str) -> bool:
        """Claim the sending of a message; False where it was sent already.

        Raises:
            StoreUnavailable: another instance is sending it, or the store did not answer: again is safe.
            EffectUncertain: as many as may have died while they sent it.
        """
        now = int(self._now().timestamp())
        again = "#status = :claimed AND #until <= :now"
        bound = {} if self._most_claims is None else {":most": self._most_claims}
        try:
            self._table.update(
                pk,
                sk,
                "SET #type = :type, #status = :claimed, #until = :until, #ttl = :ttl ADD claims :one",
                condition=f"attribute_not_exists(pk) OR ({again}{' AND claims < :most' if bound else ''})",
                names={"#type": "type", "#status": "status", "#until": "until", "#ttl": "ttl"},
                values={
                    ":type": self._kind,
                    ":claimed": "claimed",
                    ":until": now + CLAIM_SECONDS,
                    ":ttl": now + self._kept_seconds,
                    ":one": 1,
                    ":now": now,
                    **bound,
                },
            )
        except ConditionFailed as failure:
            stored = failure.item
            if stored is not None and stored["status"] == "sent":
                return False
            if bound and stored is not None and stored["until"] <= now:
                raise _make_uncertain_error(self._kind, self._most_claims) from failure
            raise _make_busy_error(self._kind) from failure
        return True

    def mark_sent(self, pk: str, sk: str) -> None:
        """Keep that a message was sent."""
        self._table.update(pk, sk, "SET #status = :sent", names={"#status": "status"}, values={":sent": "sent"})

    def release(self, pk: str, sk: str) -> None:
        """Give a claim back: the message was not sent."""
        self._table.update(
            pk,
            sk,
            "SET #until = :now, claims = :none",
            names={"#until": "until"},
            values={":now": int(self._now().timestamp()), ":none": 0},
        )


class MemorySentItems:
    """The same in a dictionary.

    Args:
        kind: what is sent, for messages.
        now: the clock.
        most_claims: as of `SentItems`.
    """

    def __init__(self, kind: str, *, now: Callable[[], datetime], most_claims: int | None = None) -> None:
        self._kind = kind
        self._now = now
        self._most_claims = most_claims
        self._lock = threading.Lock()
        self._claims: dict[tuple[str, str], tuple[float | None, int]] = {}

    def acquire(self, pk: str, sk: str) -> bool:
        """See `SentItems`."""
        now = self._now().timestamp()
        with self._lock:
            until, claims = self._claims.get((pk, sk), (0.0, 0))
            if until is None:
                return False
            if until > now:
                raise _make_busy_error(self._kind)
            if self._most_claims is not None and claims >= self._most_claims:
                raise _make_uncertain_error(self._kind, self._most_claims)
            self._claims[pk, sk] = (now + CLAIM_SECONDS, claims + 1)
            return True

    def mark_sent(self, pk: str, sk: str) -> None:
        """See `SentItems`."""
        with self._lock:
            self._claims[pk, sk] = (None, 0)

    def release(self, pk: str, sk: str) -> None:
        """See `SentItems`."""
        with self._lock:
            self._claims[pk, sk] = (self._now().timestamp(), 0)


def _make_busy_error(kind: str) -> StoreUnavailable:
    return StoreUnavailable(f"another instance is sending this {kind}", retry_after=CLAIM_SECONDS)


def _make_uncertain_error(kind: str, claims: int | None) -> EffectUncertain:
    return EffectUncertain(f"{claims} functions died while they sent this {kind}: it may not have been sent")
