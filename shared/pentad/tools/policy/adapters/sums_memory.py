"""Sums in a dictionary: for tests and for trying a tool without AWS."""

import threading
from collections import defaultdict
from decimal import Decimal

from pentad.tools.policy.ports import SumPlace


class MemoryCallSums:
    """See `CallSums`."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._added: dict[tuple[str, str], tuple[tuple[str, str], Decimal]] = {}
        self._lock = threading.Lock()

    def get(self, place: SumPlace) -> Decimal:
        """See `CallSums`."""
        return self._sums.get((place.tenant_id, place.name), Decimal(0))

    def add(self, place: SumPlace, call_key: str, amount: Decimal, *, at_most: Decimal | None) -> bool:
        """See `CallSums`."""
        where, mark = (place.tenant_id, place.name), _mark(place, call_key)
        with self._lock:
            if mark in self._added:
                return True
            if at_most is not None and self._sums[where] + amount > at_most:
                return False
            self._sums[where] += amount
            self._added[mark] = (where, amount)
            return True

    def give_back(self, place: SumPlace, call_key: str) -> None:
        """See `CallSums`."""
        with self._lock:
            added = self._added.pop(_mark(place, call_key), None)
            if added is not None:
                self._sums[added[0]] -= added[1]


def _mark(place: SumPlace, call_key: str) -> tuple[str, str]:
    return (place.tenant_id, f"{place.rule}#{call_key}")
