"""The vector stores of the contract suite, each over the real thing or a server that speaks its protocol."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pentad.memory.retrieval.adapters.pinecone_documents import VALUES_FIELD, WORDS_FIELD
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
from pentad.memory.retrieval.adapters.vectors_postgres import PostgresVectors
from pentad.memory.retrieval.adapters.vectors_qdrant import QdrantVectors
from pentad.memory.retrieval.adapters.vectors_s3 import S3Vectors
from pentad.memory.retrieval.adapters.vectors_weaviate import WeaviateVectors
from pentad.memory.retrieval.ports import VectorStore
from tests.contract.memory.qdrant_server import KEY, serve_qdrant
from tests.contract.memory.s3_vectors_server import serve_s3_vectors
from tests.contract.memory.weaviate_server import serve_weaviate
from twin.vectors import LocalIndex, Schema

SCHEMA = Schema(VALUES_FIELD, (WORDS_FIELD,))
# The server of PostgreSQL takes seconds to start: one process of the suite has it.
POSTGRES = pytest.mark.xdist_group("postgres")
STORES = (
    "memory",
    "pinecone documents",
    "pinecone hybrid",
    "pinecone dense",
    "s3 vectors",
    "qdrant",
    "weaviate",
    pytest.param("postgres", marks=POSTGRES),
    pytest.param("postgres by index", marks=POSTGRES),
)

Opened = Callable[[str], str]


@contextmanager
def open_store(name: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[VectorStore]:
    """Yield an empty store for vectors of three numbers."""
    if name == "memory":
        yield MemoryVectors(3)
    elif name.startswith("pinecone"):
        yield from _open_pinecone(name, folder)
    elif name.startswith("postgres"):
        url = request.getfixturevalue("postgres_url")
        postgres = PostgresVectors(lambda: {"url": url}, exact_vectors=0 if name == "postgres by index" else 5000)
        yield postgres
        postgres.close()
    elif name == "s3 vectors":
        with serve_s3_vectors("pentad-dev-vectors") as client:
            yield S3Vectors(lambda: client, "pentad-dev-vectors")
    elif name == "qdrant":
        with serve_qdrant() as url:
            qdrant = QdrantVectors(lambda: {"url": url, "api_key": KEY})
            yield qdrant
            qdrant.close()
    elif name == "weaviate":
        with serve_weaviate() as url:
            weaviate = WeaviateVectors(lambda: {"url": url, "api_key": KEY})
            yield weaviate
            weaviate.close()
    else:
        raise LookupError(name)


def _open_pinecone(name: str, folder: Path) -> Iterator[VectorStore]:
    schema = SCHEMA if name == "pinecone documents" else None
    metric = "dotproduct" if name == "pinecone hybrid" else "cosine"
    with LocalIndex(folder / "index.sqlite", 3, schema=schema, metric=metric) as index:
        kind = "documents" if schema is not None else "vectors"
        pinecone = PineconeVectors(lambda: {"api_key": "local", "index_host": index.url, "index_kind": kind})
        yield pinecone
        pinecone.close()
