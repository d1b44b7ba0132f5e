"""Ends of chains from the ledger's index, in which each stands under the hour of its last entry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pentad.aws.sealed import SHARDS, name_hour
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
        """See the port: all of each hour that the time touches."""
        hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour <= until:
            for shard in range(SHARDS):
                for item in self._iter_place(keys.heads_pk(name_hour(hour), shard)):
                    yield ChainHead(pk=str(item["pk"]), number=int(item["number"]), digest=str(item["hash"]))
            hour += timedelta(hours=1)

    def _iter_place(self, pk: str) -> Iterator[Item]:
        start: Item | None = None
        while True:
            items, start = self._ledger.query(pk, index=_INDEX, start=start, limit=1000, consistent=False)
            yield from items
            if start is None:
                return
