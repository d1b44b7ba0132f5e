"""Vectors in Pinecone: one namespace a tenant.

The secret says which kind the index is: ``documents`` (with a schema: dense and full text), or ``vectors`` (without;
words where its metric is dotproduct). The SDK owns the retries of a call: four attempts with jittered backoff on 408,
429, 5xx and connection errors (``pinecone._internal.config.RetryConfig``, which its ``Index`` gives no way to change).
Nothing is retried here; above, the state machine and the queue retry `StoreUnavailable`.

The SDK is imported with the first call: it takes half a second, and an agent without recall never needs it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pentad.domain.errors import ConfigurationError, PentadError, StoreUnavailable
from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.pinecone_documents import DocumentCalls
from pentad.memory.retrieval.adapters.pinecone_records import RecordCalls
from pentad.memory.retrieval.checks import Where, can_match, check_metadata_size, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector

if TYPE_CHECKING:
    from pinecone import Index

# Source of the limits: docs.pinecone.io/reference/api/database-limits, read 2026-11. Upserts: 1,000 records and 2 MB;
# 100 keep a request short. Fetches travel in the URL or bring vectors back, so fewer ids than the 1,000 allowed.
UPSERT_VECTORS = 100
UPSERT_BYTES = 2_000_000
FETCH_IDS = 100
DELETE_IDS = 1000
MAX_METADATA_BYTES = 18 * 1024
"""Pinecone takes 40 KB; a document's metadata are stored twice, to be filtered by and to be returned."""
_BYTES_PER_NUMBER = 25  # the longest JSON form of a float, with its comma
DOCUMENTS = "documents"
VECTORS = "vectors"


class _Opened(NamedTuple):
    client: "Index"
    calls: DocumentCalls | RecordCalls
    dimension: int | None


class PineconeVectors:
    """The vector store of the deployment.

    Args:
        credentials: returns the secret ``{api_key, index_host, index_kind}``; called with the first use, and again
            after the key was refused. ``index_host`` may have a scheme; https is taken where it has none.
            ``index_kind`` is ``documents`` or ``vectors``, the latter where it is not given.
        timeout_seconds: for connecting and for each pause in an answer, per attempt.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, timeout_seconds: float = 10.0) -> None:
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    @property
    def capabilities(self) -> StoreCapabilities:
        """What the index can do; asked of it once."""
        with self._use_index() as opened:
            return StoreCapabilities(
                words=opened.calls.has_words,
                dimension=opened.dimension,
                max_metadata_bytes=MAX_METADATA_BYTES,
                consistency="eventual",
            )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, in requests of at most 100 vectors and 2 MB.

        Raises:
            InvalidInput: a vector's metadata is larger than 18 KB.
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        for vector in vectors:
            check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
        latest = {vector.vector_id: vector for vector in vectors}  # an id may stand in a request once
        with self._use_index() as opened:
            for batch in _split_batches(opened.calls, list(latest.values())):
                opened.calls.upsert(opened.client, tenant_id, batch)

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words, in two searches.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        if not can_match(request.where):
            return []
        with self._use_index() as opened, _ignore_missing_namespace():
            return opened.calls.search(opened.client, tenant_id, request)
        return []

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        found: dict[str, Vector] = {}
        for start in range(0, len(vector_ids), FETCH_IDS):
            with self._use_index() as opened, _ignore_missing_namespace():
                found |= opened.calls.fetch(opened.client, tenant_id, vector_ids[start : start + FETCH_IDS])
        return found

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error, nor is a namespace that is not there.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        for start in range(0, len(vector_ids), DELETE_IDS):
            with self._use_index() as opened, _ignore_missing_namespace():
                opened.calls.delete(opened.client, tenant_id, vector_ids[start : start + DELETE_IDS])

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match.

        Raises:
            ValueError: there is no condition.
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        require_condition(where)
        if not can_match(where):
            return
        with self._use_index() as opened, _ignore_missing_namespace():
            opened.calls.delete_where(opened.client, tenant_id, where)

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove the tenant's namespace.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        with self._use_index() as opened, _ignore_missing_namespace():
            opened.client.delete_namespace(name=tenant_id)

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return one page of the ids that begin with ``prefix``, in order.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused the key.
        """
        with self._use_index() as opened, _ignore_missing_namespace():
            return opened.calls.list_page(opened.client, tenant_id, prefix, cursor, limit)
        return Page(items=())

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.client.close()

    @contextmanager
    def _use_index(self) -> Iterator[_Opened]:
        """Yield the index; what the SDK raises inside is translated."""
        from pinecone.errors import PineconeError, UnauthorizedError

        try:
            yield self._open()
        except PineconeError as error:
            if isinstance(error, UnauthorizedError):
                self.close()  # the key may have been rotated: the next call reads the secret again
            raise translate_error(error) from error

    def _open(self) -> _Opened:
        with self._lock:
            if self._opened is None:
                self._opened = self._connect()
            return self._opened

    def _connect(self) -> _Opened:
        from pinecone import Index

        secret = self._credentials()
        kind = secret.get("index_kind", VECTORS)
        if kind not in (DOCUMENTS, VECTORS):
            raise ConfigurationError(
                "the vector store's secret names a kind of index that is not known",
                field="index_kind",
                fix="set index_kind to 'documents' or 'vectors'",
            )
        index = Index(host=secret["index_host"], api_key=secret["api_key"], timeout=self._timeout)
        if kind == DOCUMENTS:
            return _Opened(index, DocumentCalls(), None)
        try:
            stats = index.describe_index_stats()
        except BaseException:
            index.close()
            raise
        return _Opened(index, RecordCalls(stats.metric, stats.dimension), stats.dimension)


@contextmanager
def _ignore_missing_namespace() -> Iterator[None]:
    """Let a tenant without vectors be one without vectors; a host that is not an index stays an error."""
    from pinecone.errors import NotFoundError

    try:
        yield
    except NotFoundError as error:
        if "namespace" not in str(error).lower():
            raise


def translate_error(error: Exception) -> PentadError:
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
        return ConfigurationError(
            f"the vector store is not set up: {name}", fix="check the secret's index_host and index_kind"
        )
    if isinstance(error, ApiError) and error.status_code in (400, 413, 422):
        return ConfigurationError(
            f"the vector store refused the request with {error.status_code}",
            fix="check that the index has the embedding model's dimension, and its schema or metric",
        )
    # Throttled, overloaded, timed out, not reached, or an answer that could not be read.
    return StoreUnavailable(f"the vector store did not answer: {name}")


def _split_batches(calls: DocumentCalls | RecordCalls, vectors: Sequence[Vector]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for vector in vectors:
        item = calls.make_item(vector)
        weight = len(json.dumps({**item, "values": 0}, ensure_ascii=False).encode("utf-8", "replace"))
        weight += len(vector.values) * _BYTES_PER_NUMBER
        if batch and (len(batch) == UPSERT_VECTORS or size + weight > UPSERT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch
