"""Segments in a dictionary."""

import threading

from pentad.memory.turns.ports import Kind, Owner, StoredSegment

_Key = tuple[str, str | None, str, Kind]


class MemorySegments:
    """Segments of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: dict[_Key, dict[int, StoredSegment]] = {}

    def list_newest(self, owner: Owner, kind: Kind, limit: int, *, consistent: bool = True) -> list[StoredSegment]:
        """Return the segments with the highest numbers, the newest first, at most ``limit``."""
        with self._lock:
            held = self._segments.get(_make_key(owner, kind), {})
            return [held[number] for number in sorted(held, reverse=True)[:limit]]

    def put(self, owner: Owner, kind: Kind, segment: StoredSegment) -> bool:
        """Store a segment if what stands there has the version before it; tell whether it did."""
        with self._lock:
            held = self._segments.setdefault(_make_key(owner, kind), {})
            current = held.get(segment.number)
            if (current.version if current else 0) != segment.version - 1:
                return False
            held[segment.number] = segment
            return True

    def remove(self, owner: Owner, kind: Kind, number: int) -> None:
        """Remove a segment; one that is not there is no error."""
        with self._lock:
            self._segments.get(_make_key(owner, kind), {}).pop(number, None)


def _make_key(owner: Owner, kind: Kind) -> _Key:
    return (owner.tenant_id, owner.user_id, owner.session_id if owner.user_id is None else "", kind)
