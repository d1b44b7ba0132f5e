"""Slots in DynamoDB: one item a tenant and what is shared, with a map of slots and when each is free again.

A slot is taken on the condition that the map has room, so callers at once never hold more than the share. A full map is
rid of slots whose time is over, on the condition that they still are what was read.
"""

import math
from contextlib import suppress

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable

_TRIES = 6
_KEPT_SECONDS = 3_600


class DynamoShares:
    """A `pentad.models.shares.ports.ShareStore` over the table ``transient``.

    Args:
        table: the table.
        of: what is shared: the function whose calls are counted.
    """

    def __init__(self, table: Table, of: str = "gateway") -> None:
        self._table = table
        self._sk = of

    def take(self, tenant_id: str, slot: str, *, most: int, now: float, until: float) -> bool:
        """See the port."""
        pk, end = keys.collection_pk(tenant_id, "SHARES"), math.ceil(until)
        for _ in range(_TRIES):
            try:
                self._table.update(
                    pk,
                    self._sk,
                    "SET slots.#slot = :end, #ttl = :ttl",
                    condition="attribute_exists(slots) AND size(slots) < :most",
                    names={"#slot": slot, "#ttl": "ttl"},
                    values={":end": end, ":most": most, ":ttl": end + _KEPT_SECONDS},
                )
                return True
            except ConditionFailed as failed:
                if failed.item is None:
                    self._create(pk, end + _KEPT_SECONDS)
                elif not self._remove_ended(pk, failed.item, now):
                    return False
        raise StoreUnavailable("others are changing this tenant's share at the same time")

    def renew(self, tenant_id: str, slot: str, *, until: float) -> None:
        """See the port."""
        end = math.ceil(until)
        with suppress(ConditionFailed):
            self._table.update(
                keys.collection_pk(tenant_id, "SHARES"),
                self._sk,
                "SET slots.#slot = :end, #ttl = :ttl",
                condition="attribute_exists(slots.#slot)",
                names={"#slot": slot, "#ttl": "ttl"},
                values={":end": end, ":ttl": end + _KEPT_SECONDS},
            )

    def give_back(self, tenant_id: str, slot: str) -> None:
        """See the port."""
        with suppress(ConditionFailed):
            self._table.update(
                keys.collection_pk(tenant_id, "SHARES"),
                self._sk,
                "REMOVE slots.#slot",
                condition="attribute_exists(slots.#slot)",
                names={"#slot": slot},
            )

    def _create(self, pk: str, ttl: int) -> None:
        with suppress(ConditionFailed):
            self._table.put(
                {"pk": pk, "sk": self._sk, "type": "share", "slots": {}, "ttl": ttl},
                condition="attribute_not_exists(pk)",
            )

    def _remove_ended(self, pk: str, item: Item, now: float) -> bool:
        """Free a slot whose time is over; return False where there is none."""
        ended = next(((name, end) for name, end in item["slots"].items() if end <= now), None)
        if ended is None:
            return False
        with suppress(ConditionFailed):
            self._table.update(
                pk,
                self._sk,
                "REMOVE slots.#slot",
                condition="slots.#slot = :end",
                names={"#slot": ended[0]},
                values={":end": ended[1]},
            )
        return True
