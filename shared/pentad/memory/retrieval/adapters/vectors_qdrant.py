"""Vectors in Qdrant (1.16 or later), by its REST API: one collection, the tenant a field that is indexed as such.

A point has two vectors: ``dense``, and ``words``, sparse, which the server weighs by how rare a word is in all points.
Its id is a hash of tenant and id, since Qdrant's ids are UUIDs; both stand in its payload. The API is that of
api.qdrant.tech, read 2026-11. Its own client would bring gRPC and numpy into every function.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.at_once import search_both
from pentad.memory.retrieval.adapters.conversions import (
    check_dimension,
    dump_metadata,
    list_labels_of,
    list_wanted_labels,
    make_unit,
    split_batches,
)
from pentad.memory.retrieval.adapters.pinecone_sparse import encode_text
from pentad.memory.retrieval.adapters.trust import get_trust
from pentad.memory.retrieval.checks import Where, can_match, check_metadata_size, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector
from pentad.memory.retrieval.words import pick_query_words

if TYPE_CHECKING:
    import httpx2

Json = dict[str, Any]

UPSERT_VECTORS = 100
MAX_METADATA_BYTES = 64 * 1024
COLLECTION = "pentad"
_NAMESPACE = uuid.UUID("6f1c3a52-7b0e-4c57-9d1e-0a4d3f6b8e21")
_GONE = 404


class QdrantVectors:
    """A vector store in a Qdrant of the project's own, or Qdrant's cloud.

    Args:
        credentials: returns the secret ``{url, api_key?, collection?}``; called with the first use, and again after the
            key was refused. The collection is made with the first vectors; its name is ``pentad`` by default.
        timeout_seconds: for connecting and for each pause in an answer.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, timeout_seconds: float = 10.0) -> None:
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._path = ""
        self._dimension: int | None = None

    @property
    def capabilities(self) -> StoreCapabilities:
        """What the store can do. Ids are listed in an order of its own, and a page may have fewer than asked for."""
        if self._dimension is None:
            self._read_dimension()
        return StoreCapabilities(
            words=True,
            pages=False,
            dimension=self._dimension,
            max_metadata_bytes=MAX_METADATA_BYTES,
            consistency="strong",
        )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, 100 in a request.

        Raises:
            InvalidInput: a vector's metadata are larger than 64 KB.
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        for vector in vectors:
            check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
        if not vectors:
            return
        self._prepare(len(vectors[0].values))
        for vector in vectors:
            check_dimension(vector.values, self._dimension)
        latest = {vector.vector_id: vector for vector in vectors}
        for batch in split_batches(list(latest.values()), UPSERT_VECTORS):
            points = [_make_point(tenant_id, one) for one in batch]
            self._call("PUT", "/points?wait=true", {"points": points})

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words, in two searches.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        if not can_match(request.where) or not self._is_ready():
            return []
        dense = make_unit(request.dense) if request.dense is not None and any(request.dense) else None
        if request.dense is not None:
            check_dimension(request.dense, self._dimension)
        indices = list(dict.fromkeys(encode_text(" ".join(pick_query_words(request.text or "")))[0]))
        asked = {"indices": indices, "values": [1.0] * len(indices)}
        nearest, worded = search_both(
            None if dense is None else lambda: self._query(tenant_id, request, "dense", dense),
            (lambda: self._query(tenant_id, request, "words", asked)) if indices else None,
        )
        found: dict[str, Match] = {}
        for one in nearest:
            match = _make_match(one)
            found[match.vector_id] = match.model_copy(update={"dense": one["score"]})
        for one in worded:
            if one["score"] > 0:
                match = _make_match(one)
                known = found.get(match.vector_id, match)
                found[match.vector_id] = known.model_copy(update={"words": one["score"]})
        return list(found.values())

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        found: dict[str, Vector] = {}
        for batch in split_batches(list(dict.fromkeys(vector_ids)), UPSERT_VECTORS):
            ids = [_make_id(tenant_id, name) for name in batch]
            body = {"ids": ids, "with_payload": True, "with_vector": ["dense"]}
            for one in self._call("POST", "/points", body, missing=[]):
                payload = one["payload"]
                found[payload["vector_id"]] = Vector(
                    vector_id=payload["vector_id"],
                    values=tuple(one["vector"]["dense"]),
                    text=payload["body"],
                    metadata=json.loads(payload["metadata"]),
                )
        return found

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        for batch in split_batches(vector_ids, 1000):
            points = [_make_id(tenant_id, name) for name in batch]
            self._call("POST", "/points/delete?wait=true", {"points": points}, missing={})

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match.

        Raises:
            ValueError: there is no condition.
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        require_condition(where)
        if can_match(where):
            body = {"filter": _make_filter(tenant_id, where)}
            self._call("POST", "/points/delete?wait=true", body, missing={})

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove all vectors of the tenant.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        self._call("POST", "/points/delete?wait=true", {"filter": _make_filter(tenant_id, {})}, missing={})

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return those of one page of the ids that begin with ``prefix``, in Qdrant's order; it may be none of them.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        body: Json = {"filter": _make_filter(tenant_id, {}), "limit": limit, "with_payload": ["vector_id"]}
        body |= {"offset": cursor} if cursor else {}
        reply = self._call("POST", "/points/scroll", body, missing={"points": []})
        names = (one["payload"]["vector_id"] for one in reply["points"])
        following = reply.get("next_page_offset")
        return Page(items=tuple(name for name in names if name.startswith(prefix)), cursor=following and str(following))

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _query(self, tenant_id: str, request: SearchRequest, using: str, asked: Any) -> list[Json]:
        body = {
            "query": asked,
            "using": using,
            "limit": request.k,
            "filter": _make_filter(tenant_id, request.where),
            "with_payload": ["vector_id", "metadata"],
        }
        points: list[Json] = self._call("POST", "/points/query", body, missing={"points": []})["points"]
        return points

    def _is_ready(self) -> bool:
        """Return whether the collection is there; its dimension is read once."""
        return self._dimension is not None or self._read_dimension()

    def _read_dimension(self) -> bool:
        found = self._call("GET", "", None, missing=None)
        if found is None:
            return False
        vectors = found["config"]["params"]["vectors"]
        if "dense" not in vectors:
            raise ConfigurationError(
                "the vector store's collection was not made by Pentad",
                fix="name another one in the secret's collection",
            )
        self._dimension = int(vectors["dense"]["size"])
        return True

    def _prepare(self, dimension: int) -> None:
        """Make the collection where it is missing, for vectors of that many numbers."""
        if self._is_ready():
            return
        body: Json = {
            "vectors": {"dense": {"size": dimension, "distance": "Cosine"}},
            "sparse_vectors": {"words": {"modifier": "idf"}},
            "hnsw_config": {"payload_m": 16, "m": 0},  # an index for each tenant, none over all
        }
        self._call("PUT", "", body, taken=True)
        indexes = (("tenant_id", {"type": "keyword", "is_tenant": True}), ("labels", {"type": "keyword"}))
        for name, schema in indexes:
            self._call("PUT", "/index?wait=true", {"field_name": name, "field_schema": schema}, taken=True)
        self._read_dimension()

    def _call(self, method: str, path: str, body: Json | None, *, missing: Any = ..., taken: bool = False) -> Any:
        """Return the result of a request; ``missing`` where there is no collection."""
        import httpx2

        client = self._open()
        try:
            reply = client.request(method, f"{self._path}{path}", json=body)
        except httpx2.HTTPError as error:
            raise StoreUnavailable(f"the vector store did not answer: {type(error).__name__}") from error
        if reply.status_code == _GONE and missing is not ...:
            return missing
        if reply.status_code == 409 and taken:
            return None
        if reply.status_code >= 400:
            if reply.status_code in (401, 403):
                self.close()  # the key may have been rotated: the next call reads the secret again
            raise _translate_status(reply.status_code)
        return reply.json()["result"]

    def _open(self) -> "httpx2.Client":
        import httpx2

        with self._lock:
            if self._client is None:
                secret = self._credentials()
                if not secret.get("url"):
                    raise ConfigurationError(
                        "the vector store's secret has no url",
                        field="url",
                        fix='set the secret to {"url": "https://HOST:6333", "api_key": "..."}',
                    )
                headers = {"api-key": secret["api_key"]} if secret.get("api_key") else {}
                self._path = f"/collections/{secret.get('collection', COLLECTION)}"
                self._client = httpx2.Client(
                    base_url=secret["url"], headers=headers, timeout=self._timeout, verify=get_trust()
                )
            return self._client


def _translate_status(status: int) -> ConfigurationError | StoreUnavailable:
    if status in (401, 403):
        return ConfigurationError("the vector store refused the credential", fix="check the secret's api_key")
    if status in (400, 404, 409, 422):
        return ConfigurationError(
            f"the vector store refused the request with {status}",
            fix="check that the server is Qdrant 1.16 or later, and that the collection was made by Pentad",
        )
    return StoreUnavailable(f"the vector store did not answer: {status}")


def _make_id(tenant_id: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{tenant_id}\0{name}"))


def _make_point(tenant_id: str, vector: Vector) -> Json:
    indices, values = encode_text(vector.text)
    return {
        "id": _make_id(tenant_id, vector.vector_id),
        "vector": {
            "dense": make_unit(vector.values),
            **({"words": {"indices": indices, "values": values}} if indices else {}),
        },
        "payload": {
            "tenant_id": tenant_id,
            "vector_id": vector.vector_id,
            "labels": list_labels_of(vector.metadata),
            "body": vector.text,
            "metadata": dump_metadata(vector.metadata),
        },
    }


def _make_filter(tenant_id: str, where: Where) -> Json:
    conditions = [{"key": "labels", "match": {"any": list_wanted_labels(name, one)}} for name, one in where.items()]
    return {"must": [{"key": "tenant_id", "match": {"value": tenant_id}}, *conditions]}


def _make_match(one: Json) -> Match:
    return Match(vector_id=one["payload"]["vector_id"], metadata=json.loads(one["payload"]["metadata"]))
