"""The audit log in the ledger table, in partitions in which only the tool runner's role may write, and only put.

IAM can't ask for a put that overwrites nothing: that is this adapter's condition, in the one function with the right.
"""

from datetime import UTC

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.tools.runtime.ports import AuditEntry


class DynamoAudit:
    """Audit entries in DynamoDB, under their run, in the order of their times.

    Args:
        ledger: the table ``ledger``.
    """

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def append(self, entry: AuditEntry) -> None:
        """See `AuditLog`."""
        at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
        item = {
            "pk": keys.audit_pk(entry.tenant_id, entry.run_id),
            "sk": f"AUDIT#{at}#{entry.step:05d}#{entry.index:02d}#{entry.request_id}",
            "type": "audit",
            "tool": entry.tool,
            "action": entry.action,
            "outcome": entry.outcome,
            "body": entry.model_dump_json(),
        }
        try:
            self._ledger.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return  # the same invocation's entry, repeated by the client's retry

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """See `AuditLog`."""
        items = [
            # Entries of the release 0.1.0 stand among the run's attempts.
            *self._ledger.iter_items(keys.run_pk(tenant_id, run_id), begins="AUDIT#"),
            *self._ledger.iter_items(keys.audit_pk(tenant_id, run_id), begins="AUDIT#"),
        ]
        return [from_stored(AuditEntry, item["body"]) for item in items]
