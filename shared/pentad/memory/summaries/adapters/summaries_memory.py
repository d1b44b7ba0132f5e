"""Summaries in memory: the adapter of tests, held to the same suite as the deployed one."""

import threading
from collections import defaultdict

from pentad.memory.summaries.ports import KEPT, SessionSummary


class MemorySummaries:
    """A `SummaryStore` of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: defaultdict[tuple[str, str], dict[int, SessionSummary]] = defaultdict(dict)

    def list_all(self, tenant_id: str, session_id: str) -> list[SessionSummary]:
        """See `SummaryStore`."""
        with self._lock:
            return [one for _, one in sorted(self._kept[tenant_id, session_id].items())]

    def put(self, summary: SessionSummary) -> bool:
        """See `SummaryStore`."""
        with self._lock:
            kept = self._kept[summary.tenant_id, summary.session_id]
            there = kept.get(summary.last_seq)
            if there is not None and there.version >= summary.version:
                return False
            kept[summary.last_seq] = summary
            for last_seq in sorted(kept)[:-KEPT]:
                del kept[last_seq]
            return True

    def remove_all(self, tenant_id: str, session_id: str) -> None:
        """See `SummaryStore`."""
        with self._lock:
            self._kept.pop((tenant_id, session_id), None)
