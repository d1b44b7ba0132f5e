"""Which notices were sent: one item each, in DynamoDB or in memory, so that a redelivered event is sent once.

A notice is sent again after the first death of a function that sent it, and given up, for a human to look at, after the
second.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from pentad.aws.sent_items import MemorySentItems, SentItems
from pentad.aws.table import Table
from pentad.domain import keys

KEPT_SECONDS: Final = 30 * 86_400
MOST_CLAIMS: Final = 2
"""So often may a notice be sent, at most, whatever dies between sending it and keeping that it was."""
_KIND: Final = "notice"


class _Notices:
    def __init__(self, items: SentItems | MemorySentItems) -> None:
        self._items = items

    def acquire(self, tenant_id: str, approval_id: str, notice: str) -> bool:
        """See `NoticeLog`."""
        return self._items.acquire(keys.notice_pk(tenant_id, approval_id), notice)

    def mark_sent(self, tenant_id: str, approval_id: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._items.mark_sent(keys.notice_pk(tenant_id, approval_id), notice)

    def release(self, tenant_id: str, approval_id: str, notice: str) -> None:
        """See `NoticeLog`."""
        self._items.release(keys.notice_pk(tenant_id, approval_id), notice)


class DynamoNotices(_Notices):
    """A `NoticeLog` over the transient table.

    Args:
        transient: the table.
        now: the clock.
    """

    def __init__(self, transient: Table, *, now: Callable[[], datetime]) -> None:
        super().__init__(SentItems(transient, _KIND, kept_seconds=KEPT_SECONDS, now=now, most_claims=MOST_CLAIMS))


class MemoryNotices(_Notices):
    """A `NoticeLog` in a dictionary.

    Args:
        now: the clock.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(MemorySentItems(_KIND, now=now, most_claims=MOST_CLAIMS))
