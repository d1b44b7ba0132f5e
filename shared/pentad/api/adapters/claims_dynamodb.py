"""What is open one at a time, in DynamoDB: one item for each place, which expires."""

import time
from collections.abc import Callable

from pentad.api.ports import Holder
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys

_KEPT_SECONDS = 90 * 86_400
"""Longer than an ingestion may take, and than its execution is told of."""


class DynamoBulkClaims:
    """A `pentad.api.ports.BulkClaims` over the table ``transient``.

    Args:
        table: the table.
        clock: ``time.time``.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def take(self, tenant_id: str, place: str, name: str, *, replaces: str | None = None) -> Holder | None:
        """See the port."""
        now = int(self._clock())
        try:
            self._table.update(
                keys.collection_pk(tenant_id, "BULK"),
                place,
                "SET held = :name, since = if_not_exists(since, :now), #type = :type, #ttl = :ttl"
                if replaces is None
                else "SET held = :name, since = :now, #type = :type, #ttl = :ttl",
                condition="attribute_not_exists(held) OR held = :name OR held = :replaces",
                names={"#type": "type", "#ttl": "ttl"},
                values={
                    ":name": name,
                    ":replaces": replaces or name,
                    ":now": now,
                    ":type": "bulk",
                    ":ttl": now + _KEPT_SECONDS,
                },
            )
        except ConditionFailed as failure:
            found = failure.item or {}
            return Holder(name=str(found.get("held", "")), seconds=max(0, now - int(found.get("since", now))))
        return None
