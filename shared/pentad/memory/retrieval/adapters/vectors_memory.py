"""Vectors in a dictionary, searched one by one."""

import math
import threading
from collections.abc import Mapping, Sequence

from pentad.memory.retrieval.ports import Match, Vector


class MemoryVectors:
    """A vector store for tests and for one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[str, dict[str, Vector]] = {}

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id."""
        with self._lock:
            self._tenants.setdefault(tenant_id, {}).update({vector.vector_id: vector for vector in vectors})

    def query(
        self, tenant_id: str, values: Sequence[float], *, top_k: int, where: Mapping[str, str] | None = None
    ) -> list[Match]:
        """Return the nearest vectors, nearest first; ``where`` matches metadata fields exactly."""
        with self._lock:
            vectors = list(self._tenants.get(tenant_id, {}).values())
        conditions = (where or {}).items()
        matches = [
            Match(vector_id=vector.vector_id, score=_compute_cosine(vector.values, values), metadata=vector.metadata)
            for vector in vectors
            if all(vector.metadata.get(name) == value for name, value in conditions)
        ]
        return sorted(matches, key=lambda match: (-match.score, match.vector_id))[:top_k]

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id."""
        with self._lock:
            own = self._tenants.get(tenant_id, {})
            return {name: own[name] for name in vector_ids if name in own}

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error."""
        with self._lock:
            own = self._tenants.get(tenant_id, {})
            for name in vector_ids:
                own.pop(name, None)

    def list_ids(self, tenant_id: str) -> list[str]:
        """Return the ids of all vectors of a tenant, sorted."""
        with self._lock:
            return sorted(self._tenants.get(tenant_id, {}))


def _compute_cosine(left: Sequence[float], right: Sequence[float]) -> float:
    norm = math.hypot(*left) * math.hypot(*right)
    return math.fsum(a * b for a, b in zip(left, right, strict=True)) / norm if norm else 0.0
