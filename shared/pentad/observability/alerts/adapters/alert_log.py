"""Which alerts were sent: one item each in DynamoDB, so that a message that is delivered twice pages once.

A claim of an instance that died is free again after a while: whether the alert was sent nobody knows, and of two bad
ends, an alert that comes twice is better than one that nobody gets. How often a message comes at all is the queue's.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable

CLAIM_SECONDS: Final = 60
KEPT_SECONDS: Final = 7 * 86_400


def _make_busy_error() -> StoreUnavailable:
    return StoreUnavailable("another instance is sending this alert", retry_after=CLAIM_SECONDS)


class DynamoAlerts:
    """An `AlertLog` over the transient table.

    Args:
        transient: the table.
        now: the clock.
    """

    def __init__(self, transient: Table, *, now: Callable[[], datetime]) -> None:
        self._transient = transient
        self._now = now

    def acquire(self, alert_id: str, target: str) -> bool:
        """See `AlertLog`."""
        now = int(self._now().timestamp())
        try:
            self._transient.update(
                keys.alert_pk(alert_id),
                target,
                "SET #type = :type, #status = :claimed, #until = :until, #ttl = :ttl",
                condition="attribute_not_exists(pk) OR (#status = :claimed AND #until <= :now)",
                names={"#type": "type", "#status": "status", "#until": "until", "#ttl": "ttl"},
                values={
                    ":type": "alert",
                    ":claimed": "claimed",
                    ":until": now + CLAIM_SECONDS,
                    ":ttl": now + KEPT_SECONDS,
                    ":now": now,
                },
            )
        except ConditionFailed as failure:
            if failure.item is not None and failure.item["status"] == "sent":
                return False
            raise _make_busy_error() from failure
        return True

    def mark_sent(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        self._transient.update(
            keys.alert_pk(alert_id),
            target,
            "SET #status = :sent",
            names={"#status": "status"},
            values={":sent": "sent"},
        )

    def release(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        self._transient.update(
            keys.alert_pk(alert_id),
            target,
            "SET #until = :now",
            names={"#until": "until"},
            values={":now": int(self._now().timestamp())},
        )


class MemoryAlerts:
    """An `AlertLog` in a dictionary.

    Args:
        now: the clock.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], float | None] = {}

    def acquire(self, alert_id: str, target: str) -> bool:
        """See `AlertLog`."""
        now = self._now().timestamp()
        with self._lock:
            until = self._until.get((alert_id, target), 0.0)
            if until is None:
                return False
            if until > now:
                raise _make_busy_error()
            self._until[alert_id, target] = now + CLAIM_SECONDS
            return True

    def mark_sent(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        with self._lock:
            self._until[alert_id, target] = None

    def release(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        with self._lock:
            self._until[alert_id, target] = self._now().timestamp()
