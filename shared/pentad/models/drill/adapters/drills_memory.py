"""Results of drills in memory: for tests and the library without AWS."""

from collections import deque

from pentad.models.drill.ports import MAX_KEPT, DrillResult


class MemoryDrills:
    """A `pentad.models.drill.ports.DrillLog` that lives as long as the object; bounded, the oldest go first.

    Attributes:
        results: what was recorded, the oldest first.
    """

    def __init__(self) -> None:
        self.results: deque[DrillResult] = deque(maxlen=MAX_KEPT)

    def record(self, result: DrillResult) -> None:
        """Keep a result; see the port."""
        self.results.append(result)
