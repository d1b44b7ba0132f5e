"""What ran inside a graph, noted by the graph beside its checkpoints, and taken over by the tool runner.

The graph's function may not write into the audit log. It notes each tool before it goes on, so that a process that dies
loses no entry, and the runner, which outlives it, takes the notes over under the names that it knows itself.
"""

from collections.abc import Collection
from datetime import UTC

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.tools.runtime.ports import AuditEntry

KEPT_SECONDS = 30 * 86_400
ENTRIES = 200
"""Of one call so many entries are taken over, the first ones."""


class DynamoInnerAudit:
    """An `AuditLog` of the tools inside one graph's call, for the graph; and its `InnerAudit`, for the runner.

    Args:
        table: the state table.
        graphs: names of the tools that are graphs; of others nothing is read.
    """

    def __init__(self, table: Table, graphs: Collection[str] = ()) -> None:
        self._table = table
        self._graphs = frozenset(graphs)

    def append(self, *entries: AuditEntry) -> None:
        """See `AuditLog`."""
        for entry in entries:
            self._put(entry)

    def _put(self, entry: AuditEntry) -> None:
        at = entry.at.astimezone(UTC)
        item = {
            "pk": keys.graph_pk(entry.tenant_id, entry.run_id),
            "sk": f"{_begin(entry.step, entry.index)}{at.isoformat(timespec='microseconds')}#{entry.request_id}",
            "type": "inner_audit",
            "ttl": int(at.timestamp()) + KEPT_SECONDS,
            "body": entry.model_dump_json(),
        }
        try:
            self._table.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return  # the same entry, repeated by the client's retry

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """See `AuditLog`."""
        items = self._table.iter_items(keys.graph_pk(tenant_id, run_id), begins=keys.AUDIT)
        return [from_stored(AuditEntry, item["body"]) for item in items]

    def list_for_call(self, tool: str, tenant_id: str, run_id: str, step: int, index: int) -> list[AuditEntry]:
        """See `InnerAudit`."""
        if tool not in self._graphs:
            return []
        items, _ = self._table.query(keys.graph_pk(tenant_id, run_id), begins=_begin(step, index), limit=ENTRIES)
        return [from_stored(AuditEntry, item["body"]) for item in items]


def _begin(step: int, index: int) -> str:
    return f"{keys.AUDIT}{step:05d}#{index:02d}#"
