"""Which alerts were sent: one item each, in DynamoDB or in memory, so that a message that comes twice pages once.

Of two bad ends, an alert that comes twice is better than one that nobody gets: how often a message comes at all is the
queue's.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.sent_items import MemorySentItems, SentItems
from pentad.aws.table import Table
from pentad.domain import keys

KEPT_SECONDS: Final = 7 * 86_400
_KIND: Final = "alert"


class _Alerts:
    def __init__(self, items: SentItems | MemorySentItems) -> None:
        self._items = items

    def acquire(self, alert_id: str, target: str) -> bool:
        """See `AlertLog`."""
        return self._items.acquire(keys.alert_pk(alert_id), target)

    def mark_sent(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        self._items.mark_sent(keys.alert_pk(alert_id), target)

    def release(self, alert_id: str, target: str) -> None:
        """See `AlertLog`."""
        self._items.release(keys.alert_pk(alert_id), target)


class DynamoAlerts(_Alerts):
    """An `AlertLog` over the transient table.

    Args:
        transient: the table.
        now: the clock.
    """

    def __init__(self, transient: Table, *, now: Callable[[], datetime]) -> None:
        super().__init__(SentItems(transient, _KIND, kept_seconds=KEPT_SECONDS, now=now))


class MemoryAlerts(_Alerts):
    """An `AlertLog` in a dictionary.

    Args:
        now: the clock.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(MemorySentItems(_KIND, now=now))
