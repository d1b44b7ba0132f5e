"""Counts in DynamoDB: one item for each subject and window, which expires."""

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys

_KEPT_SECONDS = 600


class DynamoRateCounter:
    """A `pentad.api.rates.ports.RateCounter` over the table ``transient``.

    Args:
        table: the table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
        """See the port."""
        try:
            self._table.update(
                keys.collection_pk(tenant_id, "RATES"),
                f"{window}#{subject}",
                "ADD taken :count SET #type = :type, #ttl = :ttl",
                condition="attribute_not_exists(taken) OR taken < :most",
                names={"#type": "type", "#ttl": "ttl"},
                values={":count": count, ":most": most, ":type": "rate", ":ttl": window + _KEPT_SECONDS},
            )
        except ConditionFailed:
            return False
        return True
