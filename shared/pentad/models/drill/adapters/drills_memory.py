"""Results of drills in memory: for tests and the library without AWS."""

from collections import deque

from pentad.models.drill.ports import MAX_KEPT, DrillResult


class MemoryDrills:
    """A `pentad.models.drill.ports.DrillLog` that lives as long as the object; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._results: deque[DrillResult] = deque(maxlen=MAX_KEPT)

    def record(self, result: DrillResult) -> None:
        """Keep a result; see the port."""
        self._results.append(result)

    def list_latest(self, limit: int = 1) -> list[DrillResult]:
        """Return the latest results; see the port."""
        return sorted(self._results, key=lambda result: result.started_at, reverse=True)[:limit]
