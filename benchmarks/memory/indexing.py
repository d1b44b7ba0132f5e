"""Index a collection as ingest does: the product's parser, chunks, texts to embed and vectors."""

from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks.memory.corpora import Corpus
from benchmarks.memory.embedding import KeptEmbedder
from pentad.domain.knowledge import Document
from pentad.domain.models import CallContext
from pentad.memory.documents.entries import build_embed_text, build_metadata
from pentad.memory.documents.indexing import EMBED_BATCH
from pentad.memory.documents.reader.reading import read_document
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.ports import Vector

TENANT = "bench"
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = CallContext(tenant_id=TENANT, purpose="embed_document")


def index_corpus(corpus: Corpus, embedder: KeptEmbedder, tell: Callable[[str], None]) -> MemoryVectors:
    """Return a store with all chunks of a collection."""
    store, batch = MemoryVectors(), []
    for name, text in corpus.documents.items():
        document = _make_entry(name)
        read = read_document(text.encode(), name=f"{name}.md", media_type="text/markdown")
        batch += [(document, chunk) for chunk in read.chunks]
    for start in range(0, len(batch), EMBED_BATCH):
        part = batch[start : start + EMBED_BATCH]
        reply = embedder.embed([build_embed_text(chunk) for _, chunk in part], CONTEXT, deadline=0)
        store.upsert(
            TENANT,
            [
                Vector(
                    vector_id=chunk.chunk_id,
                    values=values,
                    text=build_embed_text(chunk),
                    metadata=build_metadata(document, chunk),
                )
                for (document, chunk), values in zip(part, reply.vectors, strict=True)
            ],
        )
    tell(f"{corpus.name}: {len(batch):,} chunks")
    return store


def _make_entry(name: str) -> Document:
    return Document(
        tenant_id=TENANT,
        name=name,
        version="1",
        status="indexed",
        media_type="text/markdown",
        bytes=0,
        chunks=0,
        embedded=0,
        indexed_at=_MADE_AT,
    )
