"""Whose turn it is, in a dictionary: for tests and for trying a tool without AWS."""

import threading
import time
from collections.abc import Callable


class MemoryCallOrder:
    """See `CallOrder`.

    Args:
        clock: ``time.time``.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def take(self, tenant_id: str, place: str, owner: str, *, seconds: float) -> bool:
        """See `CallOrder`."""
        with self._lock:
            holder, until = self._held.get((tenant_id, place), (owner, 0.0))
            if holder != owner and until > self._clock():
                return False
            self._held[tenant_id, place] = (owner, self._clock() + seconds)
            return True

    def give_back(self, tenant_id: str, place: str, owner: str) -> None:
        """See `CallOrder`."""
        with self._lock:
            if self._held.get((tenant_id, place), ("", 0.0))[0] == owner:
                del self._held[tenant_id, place]
