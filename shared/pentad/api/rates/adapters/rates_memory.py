"""Counts in memory: for tests and the library without AWS."""

import threading
from collections import Counter


class MemoryRateCounter:
    """A `pentad.api.rates.ports.RateCounter`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._window = 0
        self._lock = threading.Lock()

    def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
        """See the port."""
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, Counter()
            if self._counts[tenant_id, subject] >= most:
                return False
            self._counts[tenant_id, subject] += count
            return True
