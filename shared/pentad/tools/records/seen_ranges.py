"""Which keys pages of records have shown to be free: who puts one of them there expects that it still is. Pure.

Two calls at once that count the records of a kind, and put the next, would else both succeed, and one of both be lost.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_RANGES: Final = 1_000
"""Of one call; pages that follow on each other are one range. With more the oldest is forgotten, and not compared."""


@dataclass(slots=True)
class _Range:
    kind: str
    begins: str
    after: str | None
    until: str | None

    def holds(self, kind: str, key: str) -> bool:
        if kind != self.kind or not key.startswith(self.begins):
            return False
        return (self.after is None or key > self.after) and (self.until is None or key <= self.until)


class SeenRanges:
    """The pages that one call has read."""

    def __init__(self) -> None:
        self._ranges: deque[_Range] = deque(maxlen=MOST_RANGES)

    def add(self, kind: str, begins: str, after: str | None, page: Sequence[str], limit: int) -> None:
        """Take note of a page.

        Args:
            kind: of its records.
            begins: how their keys begin.
            after: the key that it comes behind.
            page: its keys, in order.
            limit: how many were asked for; with fewer, there are no more.
        """
        until = page[-1] if len(page) >= limit else None
        last = self._ranges[-1] if self._ranges else None
        if last is not None and (last.kind, last.begins, last.until) == (kind, begins, after) and after is not None:
            last.until = until
        else:
            self._ranges.append(_Range(kind, begins, after, until))

    def cover(self, kind: str, key: str) -> bool:
        """Tell whether a page would have held a record with this key."""
        return any(one.holds(kind, key) for one in self._ranges)
