"""The vector store that the deployment chose.

An adapter is imported when it is the one: the others' code and drivers cost a cold start nothing.
"""

from collections.abc import Callable, Mapping
from typing import get_args

from pentad.aws.clients import get_client
from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.ports import Reranker, VectorStore, VectorStoreName
from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
from pentad.runtime.settings import VectorSettings

Credentials = Callable[[], Mapping[str, str]]


def make_vectors(values: VectorSettings) -> VectorStore:
    """Return the store; its secret is read with the first call."""
    name = values.vector_secret
    secrets = SecretsManagerSecrets(get_client("secretsmanager"))
    return open_vectors(values.vector_store, lambda: secrets.get_json(name or ""), bucket=values.vector_bucket)


def make_reranker(values: VectorSettings) -> Reranker | None:
    """Return what ranks passages anew: Pinecone's, where vectors are there; its secret says whether."""
    if values.vector_store != "pinecone":
        return None
    from pentad.memory.retrieval.adapters.reranker_pinecone import PineconeReranker

    name = values.vector_secret
    secrets = SecretsManagerSecrets(get_client("secretsmanager"))
    return PineconeReranker(lambda: secrets.get_json(name or ""))


def open_vectors(store: VectorStoreName, credentials: Credentials, *, bucket: str | None = None) -> VectorStore:
    """Return a store of that name.

    Args:
        store: which one.
        credentials: returns the store's secret; docs/vector-stores.md has the fields of each.
        bucket: the vector bucket, for s3vectors.

    Raises:
        ConfigurationError: there is no such store.
    """
    if store == "pinecone":
        from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors

        return PineconeVectors(credentials)
    if store == "postgres":
        from pentad.memory.retrieval.adapters.vectors_postgres import PostgresVectors

        return PostgresVectors(credentials)
    if store == "qdrant":
        from pentad.memory.retrieval.adapters.vectors_qdrant import QdrantVectors

        return QdrantVectors(credentials)
    if store == "s3vectors":
        from pentad.memory.retrieval.adapters.vectors_s3 import S3Vectors

        return S3Vectors(lambda: get_client("s3vectors"), bucket or "")
    if store == "weaviate":
        from pentad.memory.retrieval.adapters.vectors_weaviate import WeaviateVectors

        return WeaviateVectors(credentials)
    raise ConfigurationError(
        f"no vector store '{store}'", field="vector_store", fix=f"use one of {', '.join(get_args(VectorStoreName))}"
    )
