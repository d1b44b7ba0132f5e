"""What retrieval asks of a vector store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pentad.domain.values import FrozenValue


class Vector(FrozenValue):
    """A vector to store."""

    vector_id: str
    values: tuple[float, ...]
    metadata: dict[str, str | int | float | bool | list[str]]


class Match(FrozenValue):
    """A vector found."""

    vector_id: str
    score: float
    metadata: dict[str, str | int | float | bool | list[str]]


class VectorStore(Protocol):
    """Vectors of one tenant in one namespace, by cosine similarity."""

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id. Batches are the adapter's affair.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def query(
        self, tenant_id: str, values: Sequence[float], *, top_k: int, where: Mapping[str, str] | None = None
    ) -> list[Match]:
        """Return the nearest vectors, nearest first; ``where`` matches metadata fields exactly."""
        ...

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id: their metadata is renewed without embedding again."""
        ...

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error."""
        ...
