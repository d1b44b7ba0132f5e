"""The audit log in the ledger table, as one chain a run, in partitions in which only the tool runner's role may write.

IAM can't ask for a put that overwrites nothing: that is a condition of this adapter. Whoever gets around it can't sign
what it wrote: see `pentad.aws.sealed`.
"""

from datetime import UTC

from pentad.aws.readable import from_stored
from pentad.aws.sealed import SealedLog
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.tools.runtime.ports import AuditEntry


class DynamoAudit:
    """Audit entries in DynamoDB, under their run, in the order of their times.

    Args:
        ledger: the table ``ledger``.
        chain: writes into it; None for who only reads.
    """

    def __init__(self, ledger: Table, chain: SealedLog | None = None) -> None:
        self._ledger = ledger
        self._chain = chain or SealedLog(ledger, None)

    def append(self, *entries: AuditEntry) -> None:
        """See `AuditLog`."""
        for pk in dict.fromkeys(keys.audit_pk(entry.tenant_id, entry.run_id) for entry in entries):
            found = [entry for entry in entries if keys.audit_pk(entry.tenant_id, entry.run_id) == pk]
            self._chain.append(pk, [_make_item(entry) for entry in found])

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """See `AuditLog`."""
        items = [
            # Entries of the release 0.1.0 stand among the run's attempts.
            *self._ledger.iter_items(keys.run_pk(tenant_id, run_id), begins=keys.AUDIT),
            *self._ledger.iter_items(keys.audit_pk(tenant_id, run_id), begins=keys.AUDIT),
        ]
        return [from_stored(AuditEntry, item["body"]) for item in items]


def _make_item(entry: AuditEntry) -> Item:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return {
        "sk": f"{keys.AUDIT}{at}#{entry.step:05d}#{entry.index:02d}#{entry.entry_id}",
        "type": "audit",
        "tool": entry.tool,
        "action": entry.action,
        "outcome": entry.outcome,
        "body": entry.model_dump_json(),
    }
