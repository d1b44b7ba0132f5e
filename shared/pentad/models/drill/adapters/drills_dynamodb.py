"""Results of drills in DynamoDB: one item a drill, kept for 90 days."""

from datetime import UTC

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.models.drill.ports import DrillResult

_KEPT_SECONDS = 90 * 86_400


class DynamoDrills:
    """A `pentad.models.drill.ports.DrillLog` over the table ``transient``.

    Args:
        table: the table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, result: DrillResult) -> None:
        """Keep a result; see the port."""
        at = result.started_at.astimezone(UTC)
        self._table.put(
            {
                "pk": keys.DRILL,
                "sk": at.isoformat(timespec="microseconds"),
                "type": "drill",
                "body": result.model_dump_json(exclude_none=True),
                "ttl": int(at.timestamp()) + _KEPT_SECONDS,
            }
        )
