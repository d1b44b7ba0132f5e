"""Whose turn it is, in the table ``transient``: an item for each place that is taken."""

import time
from collections.abc import Callable
from decimal import Decimal

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys

_KEPT_SECONDS = 3600


class DynamoCallOrder:
    """See `CallOrder`.

    Args:
        table: the table ``transient``.
        clock: ``time.time``.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def take(self, tenant_id: str, place: str, owner: str, *, seconds: float) -> bool:
        """See `CallOrder`."""
        now = self._clock()
        item = {
            "pk": keys.call_order_pk(tenant_id),
            "sk": place,
            "type": "call_order",
            "owner": owner,
            "until": _to_number(now + seconds),
            "ttl": int(now + seconds) + _KEPT_SECONDS,
        }
        try:
            self._table.put(
                item,
                condition="attribute_not_exists(pk) OR #owner = :owner OR #until <= :now",
                names={"#owner": "owner", "#until": "until"},
                values={":owner": owner, ":now": _to_number(now)},
            )
        except ConditionFailed:
            return False
        return True

    def give_back(self, tenant_id: str, place: str, owner: str) -> None:
        """See `CallOrder`."""
        try:
            self._table.delete(
                keys.call_order_pk(tenant_id),
                place,
                condition="#owner = :owner",
                names={"#owner": "owner"},
                values={":owner": owner},
            )
        except ConditionFailed:
            return  # it took too long, and another call has the place


def _to_number(seconds: float) -> Decimal:
    return Decimal(str(round(seconds, 3)))
