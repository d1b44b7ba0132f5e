"""The log of what people did, in memory: for tests."""

from pentad.api.acts.ports import Act


class MemoryActs:
    """A `pentad.api.acts.ports.ActLog` in a dictionary."""

    def __init__(self) -> None:
        self._acts: dict[tuple[str | None, str, str, str], Act] = {}

    def append(self, act: Act) -> None:
        """See the port."""
        self._acts.setdefault((act.tenant_id, act.subject, act.request_id, act.stage), act)

    def list_for(self, tenant_id: str | None, subject: str) -> list[Act]:
        """Return the acts on a run or another subject, in the order in which they were written."""
        return [act for act in self._acts.values() if (act.tenant_id, act.subject) == (tenant_id, subject)]
