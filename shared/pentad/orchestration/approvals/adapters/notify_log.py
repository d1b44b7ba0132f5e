"""Which notices were sent: one item each, in DynamoDB or in memory, so that a redelivered event is sent once.

A claim that is neither kept nor given back (its function died) is free again after a while, and once only: whether the
notice was sent nobody knows. No order of the two writes avoids both a notice that comes twice and one that nobody gets;
this one is sent again after the first such death, and given up, for a human to look at, after the second.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.errors import EffectUncertain, StoreUnavailable

CLAIM_SECONDS: Final = 60
KEPT_SECONDS: Final = 30 * 86_400
MOST_CLAIMS: Final = 2
"""So often may a notice be sent, at most, whatever dies between sending it and keeping that it was."""


def _make_busy_error() -> StoreUnavailable:
    return StoreUnavailable("another instance is sending this notice", retry_after=CLAIM_SECONDS)


def _make_uncertain_error() -> EffectUncertain:
    return EffectUncertain(f"{MOST_CLAIMS} functions died while they sent this notice: it may not have been sent")


class DynamoNotices:
    """A `NoticeLog` over the transient table.

    Args:
        transient: the table.
        now: the clock.
    """

    def __init__(self, transient: Table, *, now: Callable[[], datetime]) -> None:
        self._transient = transient
        self._now = now

    def acquire(self, tenant_id: str, approval: str, notice: str) -> bool:
        """See `NoticeLog`."""
        now = int(self._now().timestamp())
        try:
            self._transient.update(
                keys.notice_pk(tenant_id, approval),
                notice,
                "SET #type = :type, #status = :claimed, #until = :until, #ttl = :ttl ADD claims :one",
                condition="attribute_not_exists(pk) OR (#status = :claimed AND #until <= :now AND claims < :most)",
                names={"#type": "type", "#status": "status", "#until": "until", "#ttl": "ttl"},
                values={
                    ":type": "notice",
                    ":claimed": "claimed",
                    ":until": now + CLAIM_SECONDS,
                    ":ttl": now + KEPT_SECONDS,
                    ":one": 1,
                    ":now": now,
                    ":most": MOST_CLAIMS,
                },
            )
        except ConditionFailed as failure:
            stored = failure.item
            if stored is not None and stored["status"] == "sent":
                return False
            raise (
                _make_uncertain_error() if stored is not None and stored["until"] <= now else _make_busy_error()
            ) from failure
        return True

    def mark_sent(self, tenant_id: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._transient.update(
            keys.notice_pk(tenant_id, approval),
            notice,
            "SET #status = :sent",
            names={"#status": "status"},
            values={":sent": "sent"},
        )

    def release(self, tenant_id: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._transient.update(
            keys.notice_pk(tenant_id, approval),
            notice,
            "SET #until = :now, claims = :none",
            names={"#until": "until"},
            values={":now": int(self._now().timestamp()), ":none": 0},
        )


class MemoryNotices:
    """A `NoticeLog` in a dictionary.

    Args:
        now: the clock.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._claims: dict[tuple[str, str, str], tuple[float | None, int]] = {}

    def acquire(self, tenant_id: str, approval: str, notice: str) -> bool:
        """See `NoticeLog`."""
        now = self._now().timestamp()
        with self._lock:
            until, claims = self._claims.get((tenant_id, approval, notice), (0.0, 0))
            if until is None:
                return False
            if until > now:
                raise _make_busy_error()
            if claims >= MOST_CLAIMS:
                raise _make_uncertain_error()
            self._claims[tenant_id, approval, notice] = (now + CLAIM_SECONDS, claims + 1)
            return True

    def mark_sent(self, tenant_id: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        with self._lock:
            self._claims[tenant_id, approval, notice] = (None, 0)

    def release(self, tenant_id: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        with self._lock:
            self._claims[tenant_id, approval, notice] = (self._now().timestamp(), 0)
