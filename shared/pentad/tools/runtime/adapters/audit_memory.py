"""The audit log in a dictionary: for tests and for trying a tool without AWS."""

from pentad.tools.runtime.ports import AuditEntry


class MemoryAudit:
    """Audit entries in a list."""

    def __init__(self) -> None:
        self._entries: dict[tuple[object, ...], AuditEntry] = {}

    def append(self, *entries: AuditEntry) -> None:
        """See `AuditLog`."""
        for entry in entries:
            key = (entry.tenant_id, entry.run_id, entry.at, entry.step, entry.index, entry.entry_id)
            self._entries.setdefault(key, entry)

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """See `AuditLog`."""
        entries = (entry for entry in self._entries.values() if (entry.tenant_id, entry.run_id) == (tenant_id, run_id))
        return sorted(entries, key=lambda entry: (entry.at, entry.step, entry.index, entry.request_id))
