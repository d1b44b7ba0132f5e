"""Circuits in memory: for tests, and for a library that runs in one process."""

import threading
from collections.abc import Mapping

from pentad.models.breaker.circuit import Circuit

MAX_CIRCUITS = 1_000


class MemoryCircuits:
    """A `pentad.models.ports.CircuitStore` that lives as long as the object; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def get_all(self) -> Mapping[str, Circuit]:
        """Return every circuit; see the port."""
        with self._lock:
            return dict(self._circuits)

    def get(self, name: str) -> Circuit:
        """Return one circuit; see the port."""
        with self._lock:
            return self._circuits.get(name) or Circuit(name=name)

    def put(self, circuit: Circuit) -> bool:
        """Store a circuit where its version still stands; see the port."""
        with self._lock:
            known = self._circuits.get(circuit.name)
            if (known.version if known else 0) != circuit.version:
                return False
            self._circuits[circuit.name] = circuit.with_changes(version=circuit.version + 1)
            while len(self._circuits) > MAX_CIRCUITS:
                del self._circuits[next(iter(self._circuits))]
            return True
