"""Vectors in Pinecone: one namespace a tenant.

The SDK owns the retries of a call: four attempts with jittered backoff on 408, 429, 5xx and connection errors
(``pinecone._internal.config.RetryConfig``, which its ``Index`` gives no way to change). Nothing is retried here; above,
the state machine and the queue retry `StoreUnavailable`.

The SDK is imported with the first call: it takes half a second, and an agent without recall never needs it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pentad.domain.errors import ConfigurationError, PentadError, StoreUnavailable
from pentad.memory.retrieval.ports import Match, Vector

if TYPE_CHECKING:
    from pinecone import Index

# Source of the limits: docs.pinecone.io/reference/api/database-limits, read 2026-11. Upserts: 1,000 vectors and 2 MB;
# 100 keep a request short. Fetches travel in the URL, so fewer ids than the 1,000 allowed.
UPSERT_VECTORS = 100
UPSERT_BYTES = 2_000_000
FETCH_IDS = 100
DELETE_IDS = 1000
_BYTES_PER_NUMBER = 25  # the longest JSON form of a float, with its comma


class PineconeVectors:
    """The vector store of the deployment.

    Args:
        credentials: returns the secret ``{api_key, index_host}``; called with the first use, and again after the key
            was refused. ``index_host`` may have a scheme; https is taken where it has none.
        timeout_seconds: for connecting and for each pause in an answer, per attempt.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, timeout_seconds: float = 10.0) -> None:
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._index: Index | None = None

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, in requests of at most 100 vectors and 2 MB.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        for batch in _split_batches(vectors):
            with self._use_index() as index:
                index.upsert(vectors=batch, namespace=tenant_id)

    def query(
        self, tenant_id: str, values: Sequence[float], *, top_k: int, where: Mapping[str, str] | None = None
    ) -> list[Match]:
        """Return the nearest vectors, nearest first; ``where`` matches metadata fields exactly.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        conditions: dict[str, Any] | None = {name: {"$eq": value} for name, value in where.items()} if where else None
        with self._use_index() as index:
            reply = index.query(
                vector=list(values), top_k=top_k, namespace=tenant_id, filter=conditions, include_metadata=True
            )
        return [
            Match(vector_id=match.id, score=match.score, metadata=dict(match.metadata or {})) for match in reply.matches
        ]

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        found: dict[str, Vector] = {}
        for start in range(0, len(vector_ids), FETCH_IDS):
            with self._use_index() as index:
                reply = index.fetch(ids=list(vector_ids[start : start + FETCH_IDS]), namespace=tenant_id)
            for name, vector in reply.vectors.items():
                found[name] = Vector(
                    vector_id=name, values=tuple(vector.values or ()), metadata=dict(vector.metadata or {})
                )
        return found

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error, nor is a namespace that is not there.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        from pinecone.errors import NotFoundError

        for start in range(0, len(vector_ids), DELETE_IDS):
            with self._use_index() as index:
                try:
                    index.delete(ids=list(vector_ids[start : start + DELETE_IDS]), namespace=tenant_id)
                except NotFoundError:
                    return

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            index, self._index = self._index, None
        if index is not None:
            index.close()

    @contextmanager
    def _use_index(self) -> Iterator["Index"]:
        """Yield the index; what the SDK raises inside is translated."""
        from pinecone.errors import PineconeError, UnauthorizedError

        try:
            yield self._open()
        except PineconeError as error:
            if isinstance(error, UnauthorizedError):
                self.close()  # the key may have been rotated: the next call reads the secret again
            raise _translate_error(error) from error

    def _open(self) -> "Index":
        with self._lock:
            if self._index is None:
                from pinecone import Index

                secret = self._credentials()
                self._index = Index(host=secret["index_host"], api_key=secret["api_key"], timeout=self._timeout)
            return self._index


def _translate_error(error: Exception) -> PentadError:
    """Return our error for one of the SDK's. Messages are ours: the SDK's may quote what was sent."""
    from pinecone.errors import (
        ApiError,
        ForbiddenError,
        NotFoundError,
        PaymentRequiredError,
        PineconeTypeError,
        PineconeValueError,
        UnauthorizedError,
    )

    name = type(error).__name__
    if isinstance(error, UnauthorizedError | ForbiddenError | PaymentRequiredError):
        return ConfigurationError(
            f"the vector store refused the credential: {name}", fix="check the secret's api_key and its plan"
        )
    if isinstance(error, NotFoundError | PineconeValueError | PineconeTypeError):
        return ConfigurationError(f"the vector store is not set up: {name}", fix="check the secret's index_host")
    if isinstance(error, ApiError) and error.status_code in (400, 413, 422):
        return ConfigurationError(
            f"the vector store refused the request with {error.status_code}",
            fix="check that the index has the embedding model's dimension and the cosine metric",
        )
    # Throttled, overloaded, timed out, not reached, or an answer that could not be read.
    return StoreUnavailable(f"the vector store did not answer: {name}")


def _split_batches(vectors: Sequence[Vector]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for vector in vectors:
        metadata = len(json.dumps(vector.metadata, ensure_ascii=False).encode())
        weight = metadata + len(vector.values) * _BYTES_PER_NUMBER + len(vector.vector_id) + 100
        if batch and (len(batch) == UPSERT_VECTORS or size + weight > UPSERT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"id": vector.vector_id, "values": list(vector.values), "metadata": vector.metadata})
        size += weight
    if batch:
        yield batch
