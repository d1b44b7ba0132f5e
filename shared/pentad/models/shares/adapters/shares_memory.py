"""Slots in memory: for tests and the library without AWS."""

import threading


class MemoryShares:
    """A `pentad.models.shares.ports.ShareStore`."""

    def __init__(self) -> None:
        self._slots: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def take(self, tenant_id: str, slot: str, *, most: int, now: float, until: float) -> bool:
        """See the port."""
        with self._lock:
            held = {name: end for name, end in self._slots.get(tenant_id, {}).items() if end > now}
            self._slots[tenant_id] = held
            if len(held) >= most:
                return False
            held[slot] = until
            return True

    def renew(self, tenant_id: str, slot: str, *, until: float) -> None:
        """See the port."""
        with self._lock:
            held = self._slots.get(tenant_id, {})
            if slot in held:
                held[slot] = until

    def give_back(self, tenant_id: str, slot: str) -> None:
        """See the port."""
        with self._lock:
            self._slots.get(tenant_id, {}).pop(slot, None)
