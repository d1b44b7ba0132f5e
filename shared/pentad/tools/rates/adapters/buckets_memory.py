"""Buckets of tokens in a dictionary: for tests and for trying a tool without AWS."""

import threading

_REMEMBERED = 256


class MemoryTokenBuckets:
    """See `TokenBuckets`."""

    def __init__(self) -> None:
        self._full_at: dict[tuple[str | None, str], int] = {}
        self._calls: dict[tuple[str | None, str], list[str]] = {}
        self._lock = threading.Lock()

    def take(
        self, tenant_id: str | None, bucket: str, call_key: str, *, burst: int, interval_us: int, now_us: int
    ) -> int | None:
        """See `TokenBuckets`."""
        place = (tenant_id, bucket)
        with self._lock:
            calls = self._calls.setdefault(place, [])
            if call_key in calls:
                return None
            full_at = max(self._full_at.get(place, now_us), now_us)
            left = full_at - (now_us + (burst - 1) * interval_us)
            if left > 0:
                return left
            self._full_at[place] = full_at + interval_us
            calls.append(call_key)
            del calls[:-_REMEMBERED]
            return None
