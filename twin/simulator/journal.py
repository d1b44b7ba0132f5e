"""What was asked of the simulator: a bounded record without secrets or contents."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

MAX_ENTRIES = 1000
_SECRET = frozenset(("authorization", "x-api-key", "api-key", "cookie", "proxy-authorization"))


class Journal:
    """The latest requests; safe under threads."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_ENTRIES)
        self._count = 0
        self._lock = threading.Lock()

    def begin(self, headers: Mapping[str, str], **facts: Any) -> dict[str, Any]:
        """Record a request as it arrives, with its headers less those that carry secrets, and return the entry."""
        kept = {name: value for name, value in headers.items() if name not in _SECRET}
        with self._lock:
            self._count += 1
            entry = {"number": self._count, **facts, "headers": kept}
            self._entries.append(entry)
        return entry

    def end(self, entry: dict[str, Any], **facts: Any) -> None:
        """Add to an entry what became of its request; one that was cleared meanwhile is in no list any more."""
        with self._lock:
            entry.update(facts)

    def list_entries(self) -> list[dict[str, Any]]:
        """Return the entries, oldest first."""
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget the entries."""
        with self._lock:
            self._entries.clear()
            self._count = 0
