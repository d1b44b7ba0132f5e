"""Ends of chains from the ledger's index, in which each stands under the day and time of its last entry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pentad.aws.sealed import SHARDS
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.observability.anchors.anchor import ChainHead

_INDEX = "gsi1"


class DynamoHeads:
    """A `HeadSource` over the table ``ledger``.

    Args:
        ledger: the table.
    """

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def iter_heads(self, since: datetime, until: datetime) -> Iterator[ChainHead]:
        """See the port."""
        first, last = since.astimezone(UTC), until.astimezone(UTC)
        between = (keys.iso(first), f"{keys.iso(last)}~")
        for number in range((last.date() - first.date()).days + 1):
            day = (first.date() + timedelta(days=number)).isoformat()
            for shard in range(SHARDS):
                for item in self._iter_place(keys.heads_pk(day, shard), between):
                    yield ChainHead(pk=str(item["pk"]), number=int(item["number"]), digest=str(item["hash"]))

    def _iter_place(self, pk: str, between: tuple[str, str]) -> Iterator[Item]:
        start: Item | None = None
        while True:
            items, start = self._ledger.query(
                pk, index=_INDEX, between=between, start=start, limit=1000, consistent=False
            )
            yield from items
            if start is None:
                return
