"""Which notices were sent: one item each, in DynamoDB or in memory, so that a redelivered event is sent once.

A claim that is neither kept nor given back (its function died) is free again after a while. What died between sending
and keeping is then sent twice: no order of the two writes avoids both that and a notice that nobody gets.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable

CLAIM_SECONDS: Final = 60
KEPT_SECONDS: Final = 30 * 86_400


def _held() -> StoreUnavailable:
    return StoreUnavailable("another instance is sending this notice", retry_after=CLAIM_SECONDS)


class DynamoNotices:
    """A `NoticeLog` over the transient table.

    Args:
        transient: the table.
        now: the clock.
    """

    def __init__(self, transient: Table, *, now: Callable[[], datetime]) -> None:
        self._transient = transient
        self._now = now

    def claim(self, tenant: str, approval: str, notice: str) -> bool:
        """See `NoticeLog`."""
        now = int(self._now().timestamp())
        item = {
            "pk": keys.notice_pk(tenant, approval),
            "sk": notice,
            "type": "notice",
            "status": "claimed",
            "until": now + CLAIM_SECONDS,
            "ttl": now + KEPT_SECONDS,
        }
        try:
            self._transient.put(
                item,
                condition="attribute_not_exists(pk) OR (#status = :claimed AND #until <= :now)",
                names={"#status": "status", "#until": "until"},
                values={":claimed": "claimed", ":now": now},
            )
        except ConditionFailed as failure:
            if failure.item is not None and failure.item["status"] == "sent":
                return False
            raise _held() from failure
        return True

    def sent(self, tenant: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._transient.update(
            keys.notice_pk(tenant, approval),
            notice,
            "SET #status = :sent",
            names={"#status": "status"},
            values={":sent": "sent"},
        )

    def release(self, tenant: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._transient.update(
            keys.notice_pk(tenant, approval),
            notice,
            "SET #until = :now",
            names={"#until": "until"},
            values={":now": int(self._now().timestamp())},
        )


class MemoryNotices:
    """A `NoticeLog` in a dictionary.

    Args:
        now: the clock.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._claims: dict[tuple[str, str, str], float | None] = {}

    def claim(self, tenant: str, approval: str, notice: str) -> bool:
        """See `NoticeLog`."""
        now = self._now().timestamp()
        with self._lock:
            until = self._claims.get((tenant, approval, notice), 0.0)
            if until is None:
                return False
            if until > now:
                raise _held()
            self._claims[tenant, approval, notice] = now + CLAIM_SECONDS
            return True

    def sent(self, tenant: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        with self._lock:
            self._claims[tenant, approval, notice] = None

    def release(self, tenant: str, approval: str, notice: str) -> None:
        """See `NoticeLog`."""
        with self._lock:
            self._claims[tenant, approval, notice] = self._now().timestamp()
