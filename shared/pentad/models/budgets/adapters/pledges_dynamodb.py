"""Pledges in DynamoDB: an item beside each budget's counter, written only in the place of the one that was read.

Calls never touch it, so it does not make their writes larger, and admissions wait for each other alone.
"""

from datetime import datetime

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.models.budgets.budgets import Applied, Counter, Pledge, Pledged, keep_until

_SUFFIX = "#PLEDGES"


class DynamoPledges:
    """A `pentad.models.budgets.ports.PledgeStore` over the table ``transient``.

    Args:
        transient: the table.
    """

    def __init__(self, transient: Table) -> None:
        self._table = transient

    def read(self, counter: Counter) -> Pledged:
        """See the port."""
        item = self._table.get(*_key_of(counter))
        if item is None:
            return Pledged()
        return Pledged(
            int(item["version"]), tuple(Pledge(str(run), int(amount), int(end)) for run, amount, end in item["pledges"])
        )

    def write(self, applied: Applied, pledged: Pledged, now: datetime) -> bool:
        """See the port."""
        pk, sk = _key_of(applied.counter)
        item = {
            "pk": pk,
            "sk": sk,
            "type": "budget_pledges",
            "version": pledged.version,
            "pledges": [list(one) for one in pledged.pledges],
            "ttl": keep_until(applied, now),
        }
        first = pledged.version == 1
        expression = {} if first else {"names": {"#v": "version"}, "values": {":before": pledged.version - 1}}
        try:
            self._table.put(item, condition="attribute_not_exists(pk)" if first else "#v = :before", **expression)
        except ConditionFailed:
            return False
        return True


def _key_of(counter: Counter) -> tuple[str, str]:
    return keys.budget_pk(counter.tenant_id, counter.scope, counter.subject), f"{counter.window}{_SUFFIX}"
