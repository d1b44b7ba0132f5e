"""The ledger in DynamoDB: append only. No role may update or delete an item of this table."""

from datetime import UTC

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.models import Attempt

_PREFIX = "ATTEMPT#"


class DynamoDBLedger:
    """A `pentad.models.ports.Ledger` over the table ``ledger``.

    Args:
        table: the table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, attempt: Attempt) -> None:
        """Append an attempt; see the port."""
        context = attempt.context
        at = attempt.started_at.astimezone(UTC)
        if context.run is not None:
            pk = keys.run_pk(context.tenant, context.run)
        else:
            pk = keys.ledger_day_pk(context.tenant, at.date().isoformat())
        item = {
            "pk": pk,
            "sk": f"{_PREFIX}{at.isoformat(timespec='microseconds')}#{attempt.attempt_id}",
            "type": "attempt",
            "body": attempt.model_dump_json(exclude_none=True),
            "cost_nanousd": attempt.cost_nanousd,
        }
        try:
            self._table.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return  # it stands there already: this is a repeat

    def of_run(self, tenant: str, run: str) -> list[Attempt]:
        """Return a run's attempts; see the port."""
        items, _ = self._table.query(keys.run_pk(tenant, run), begins=_PREFIX)
        return [Attempt.model_validate_json(item["body"]) for item in items]
