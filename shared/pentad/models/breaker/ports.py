"""What circuit breakers ask of their store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pentad.models.breaker.circuit import Admission, Circuit, Evidence


class Breaker(Protocol):
    """Keeps calls away from a model that is down. A circuit's name is ``provider/model``."""

    def look(self, name: str) -> Circuit:
        """Return the circuit as it was a moment ago, at next to no cost."""
        ...

    def admit(self, name: str, *, seconds: float) -> Admission | None:
        """Return leave for one attempt, or None; where the circuit is half-open, one caller among all gets it.

        Args:
            name: the circuit.
            seconds: the time the attempt will have; a probe that is not reported by then is given up.
        """
        ...

    def report(self, name: str, evidence: Evidence) -> None:
        """Learn what became of an attempt; never raises for a store that does not answer."""
        ...


class CircuitStore(Protocol):
    """Where circuits are kept for all processes."""

    def get_all(self, tenant_id: str | None = None) -> Mapping[str, Circuit]:
        """Return the stored circuits by their names: those that all tenants share, or one tenant's own.

        However many tenants there are, an answer holds one circuit a model at most.

        Args:
            tenant_id: whose own circuits; None for the shared ones.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, name: str) -> Circuit:
        """Return a circuit as it was last written; a closed one of version 0 where none was.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, circuit: Circuit) -> bool:
        """Store a circuit as the next version; return False, and store nothing, where its own is not the stored one.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
