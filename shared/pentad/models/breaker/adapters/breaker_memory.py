"""Circuits in memory: for tests, and for a library that runs in one process."""

import threading
from collections.abc import Mapping

from pentad.models.breaker.circuit import Circuit
from pentad.models.breaker.tenant_breaker import split_circuit_name

MAX_CIRCUITS = 1_000


class MemoryCircuits:
    """A `pentad.models.breaker.ports.CircuitStore` that lives as long as the object; bounded, the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def get_all(self, tenant_id: str | None = None) -> Mapping[str, Circuit]:
        """Return the shared circuits, or one tenant's own; see the port."""
        with self._lock:
            return {name: one for name, one in self._circuits.items() if split_circuit_name(name)[1] == tenant_id}

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
