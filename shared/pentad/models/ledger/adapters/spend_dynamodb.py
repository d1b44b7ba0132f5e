"""Reads the spend counters in the state table."""

from collections.abc import Iterator
from datetime import date

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.domain.errors import InvalidInput
from pentad.models.ledger.spend import (
    MAX_ROWS,
    By,
    Kind,
    Row,
    SpendCounter,
    Spending,
    check_of_one_user,
    kind_of,
    summarise,
)

MAX_COUNTERS = 100_000
"""Counters that one question may read: about 20 MB."""


class DynamoSpend:
    """A `pentad.models.ledger.ports.SpendReader`.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._table = state

    def read(
        self, tenant_id: str, by: By, first: date, last: date, *, user_id: str | None, limit: int = MAX_ROWS
    ) -> Spending:
        """See the port."""
        check_of_one_user(by, user_id)
        counted = self._iter_counters(tenant_id, kind_of(by, user_id), first, last)
        own = ((counter, row) for counter, row in counted if user_id in (None, counter.value))
        return summarise(by, tenant_id, first, last, own, limit=limit)

    def _iter_counters(self, tenant_id: str, kind: Kind, first: date, last: date) -> Iterator[tuple[SpendCounter, Row]]:
        # "$" is the character after "#": all of the last day is below it.
        days = (first.isoformat(), f"{last.isoformat()}$")
        items, more = self._table.query(keys.spend_pk(tenant_id, kind), between=days, limit=MAX_COUNTERS)
        if more is not None:
            raise InvalidInput(
                "the range of days has too many counters to sum up", field="from", fix="ask for fewer days"
            )
        for item in items:
            day, rest = str(item["sk"]).split("#", 1)
            value, shard = rest.rsplit("#", 1)
            row = Row(
                key=value,
                attempts=int(item["attempts"]),
                tokens=int(item["tokens"]),
                cost_nanousd=int(item["cost_nanousd"]),
                estimated_nanousd=int(item.get("estimated_nanousd", 0)),
            )
            yield SpendCounter(kind, day, value, int(shard)), row
