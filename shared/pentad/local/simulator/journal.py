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

    def add(self, headers: Mapping[str, str], **facts: Any) -> None:
        """Record a request with its headers, less those that carry secrets."""
        kept = {name: value for name, value in headers.items() if name not in _SECRET}
        with self._lock:
            self._count += 1
            self._entries.append({"number": self._count, **facts, "headers": kept})

    def listed(self) -> list[dict[str, Any]]:
        """Return the entries, oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Forget the entries."""
        with self._lock:
            self._entries.clear()
            self._count = 0
