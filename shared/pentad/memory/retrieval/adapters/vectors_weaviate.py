"""Vectors in Weaviate (1.27 or later), by its REST API and GraphQL: one collection, with a tenant of Weaviate's each.

An object has a vector, the words that `split_words` made of its text, which the server weighs by BM25, and labels to
filter by. Its id is a hash of tenant and id, since Weaviate's ids are UUIDs; the id itself is a property. A search by
vector or by words is GraphQL: at 1.39 the search by REST is an experiment without vectors. The API is that of
docs.weaviate.io and of the server's source, read 2026-11. Its own client would bring gRPC into every function.
"""

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.domain.reading.json_text import read_json
from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.at_once import search_both
from pentad.memory.retrieval.adapters.conversions import (
    dump_metadata,
    list_labels_of,
    make_unit,
    split_batches,
)
from pentad.memory.retrieval.adapters.trust import get_trust
from pentad.memory.retrieval.adapters.weaviate_forms import (
    NO_TENANT,
    is_own_collection,
    make_any_of,
    make_collection,
    make_filter,
    name_tenant,
    quote,
    read_errors,
    render_condition,
    render_where,
    translate_message,
    translate_status,
)
from pentad.memory.retrieval.checks import Where, can_match, check_metadata_size, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector
from pentad.memory.retrieval.words import pick_query_words, split_words

if TYPE_CHECKING:
    import httpx2

Json = dict[str, Any]

BATCH = 100
MAX_METADATA_BYTES = 64 * 1024
COLLECTION = "Pentad"
MAX_REMOVALS = 1000
"""Requests that one deletion may need; the server has a limit of objects that it removes in each, by default 10,000."""
_NAMESPACE = uuid.UUID("0d4b7f64-2a91-4f0e-8c53-6f1e2b7a9d35")
_CLASS = re.compile(r"[A-Z][A-Za-z0-9_]{0,200}")


class WeaviateVectors:
    """A vector store in a Weaviate of the project's own, or Weaviate's cloud.

    Args:
        credentials: returns the secret ``{url, api_key?, collection?}``; called with the first use, and again after the
            key was refused. The collection is made with the first vectors; its name is ``Pentad`` by default.
        timeout_seconds: for connecting and for each pause in an answer.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, timeout_seconds: float = 10.0) -> None:
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._class = ""
        self._ready = False

    @property
    def capabilities(self) -> StoreCapabilities:
        """What the store can do. Ids are listed in an order of its own, and a page may have fewer than asked for.

        The dimension is that of a tenant's first vector, which no request tells. Servers may index after they answered.
        """
        return StoreCapabilities(
            words=True, pages=False, dimension=None, max_metadata_bytes=MAX_METADATA_BYTES, consistency="eventual"
        )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id, 100 in a request; the tenant is made where it is missing.

        Raises:
            InvalidInput: a vector's metadata are larger than 64 KB.
            StoreUnavailable: the server did not answer, or stored some of them only.
            ConfigurationError: it refused: the key, or the dimension.
        """
        for vector in vectors:
            check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
        if not vectors:
            return
        self._prepare()
        latest = {vector.vector_id: vector for vector in vectors}
        for batch in split_batches(list(latest.values()), BATCH):
            objects = [self._make_object(tenant_id, one) for one in batch]
            if not self._put(objects):
                self._create_tenant(tenant_id)
                if not self._put(objects):
                    raise StoreUnavailable("the vector store did not make the tenant that it was asked for")

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words, in two searches.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused: the key, or the dimension.
        """
        if not can_match(request.where) or not self._is_ready():
            return []
        rest = f"limit: {request.k}{render_where(request.where)}"
        words = pick_query_words(request.text or "")

        def find_nearest() -> list[Json]:
            asked = f"nearVector: {{vector: {json.dumps(make_unit(request.dense or ()))}}} {rest}"
            return self._get(tenant_id, asked, "vector_id metadata _additional {distance}")

        def find_words() -> list[Json]:
            asked = f'bm25: {{query: {quote(" ".join(words))} properties: ["words"]}} {rest}'
            return self._get(tenant_id, asked, "vector_id metadata _additional {score}")

        has_direction = request.dense is not None and any(request.dense)
        nearest, worded = search_both(find_nearest if has_direction else None, find_words if words else None)
        found: dict[str, Match] = {}
        for one in nearest:
            match = _make_match(one)
            found[match.vector_id] = match.model_copy(update={"dense": 1 - one["_additional"]["distance"]})
        for one in worded:
            score = float(one["_additional"]["score"])
            if score > 0:
                match = _make_match(one)
                known = found.get(match.vector_id, match)
                found[match.vector_id] = known.model_copy(update={"words": score})
        return list(found.values())

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id; the text is its words.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        found: dict[str, Vector] = {}
        if not vector_ids or not self._is_ready():
            return found
        for batch in split_batches(list(dict.fromkeys(vector_ids)), BATCH):
            asked = f"limit: {len(batch)} where: {render_condition(make_any_of('vector_id', batch))}"
            for one in self._get(tenant_id, asked, "vector_id words metadata _additional {vector}"):
                found[one["vector_id"]] = Vector(
                    vector_id=one["vector_id"],
                    values=tuple(one["_additional"]["vector"]),
                    text=one["words"] or "",
                    metadata=json.loads(one["metadata"]),
                )
        return found

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error.

        Raises:
            StoreUnavailable: the server did not answer, or removed some of them only.
            ConfigurationError: it refused the key.
        """
        if vector_ids and self._is_ready():
            for batch in split_batches(list(dict.fromkeys(vector_ids)), BATCH):
                self._delete(tenant_id, make_any_of("vector_id", batch))

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match, in as many requests as the server's limit asks for.

        Raises:
            ValueError: there is no condition.
            StoreUnavailable: the server did not answer, or removed some of them only.
            ConfigurationError: it refused the key.
        """
        require_condition(where)
        if can_match(where) and self._is_ready():
            self._delete(tenant_id, make_filter(where))

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove the tenant with all its vectors.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        if not self._is_ready():
            return
        status, reply = self._send("DELETE", f"/v1/schema/{self._class}/tenants", [name_tenant(tenant_id)])
        if status >= 400 and not NO_TENANT.search(read_errors(reply)):
            raise translate_status(status, reply)

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return those of one page of the ids that begin with ``prefix``, in Weaviate's order; it may be none of them.

        Raises:
            StoreUnavailable: the server did not answer.
            ConfigurationError: it refused the key.
        """
        if not self._is_ready():
            return Page(items=(), cursor=None)
        asked = f"limit: {limit} after: {quote(cursor or '')}"  # of the first page too: it asks for the order of ids
        page = self._get(tenant_id, asked, "vector_id _additional {id}")
        following = page[-1]["_additional"]["id"] if len(page) == limit else None
        names = (one["vector_id"] for one in page)
        return Page(items=tuple(name for name in names if name.startswith(prefix)), cursor=following)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _make_object(self, tenant_id: str, vector: Vector) -> Json:
        words = " ".join(split_words(vector.text))
        properties = {
            "vector_id": vector.vector_id,
            "labels": list_labels_of(vector.metadata),
            "metadata": dump_metadata(vector.metadata),
        }
        return {
            "class": self._class,
            "id": str(uuid.uuid5(_NAMESPACE, f"{tenant_id}\0{vector.vector_id}")),
            "tenant": name_tenant(tenant_id),
            "vector": make_unit(vector.values),
            "properties": properties | ({"words": words} if words else {}),
        }

    def _put(self, objects: Sequence[Json]) -> bool:
        """Store objects; return whether their tenant is there. The answer is 200 where single objects were refused."""
        status, reply = self._send("POST", "/v1/batch/objects", {"objects": objects})
        if status >= 400:
            if NO_TENANT.search(read_errors(reply)):
                return False
            raise translate_status(status, reply)
        reply = reply if isinstance(reply, list) else []
        said = " ".join(read_errors((one.get("result") or {}).get("errors")) for one in reply).strip()
        failed = [one for one in reply if (one.get("result") or {}).get("status") == "FAILED"]
        if NO_TENANT.search(said):
            return False
        if said or failed or len(reply) != len(objects):
            self._ready = False  # the collection may have been removed: the next call looks again
            raise translate_message(said)
        return True

    def _create_tenant(self, tenant_id: str) -> None:
        status, reply = self._send("POST", f"/v1/schema/{self._class}/tenants", [{"name": name_tenant(tenant_id)}])
        # Another writer may have been first: what is stored then tells whether the tenant is there.
        if status >= 400 and status != 422:
            raise translate_status(status, reply)

    def _get(self, tenant_id: str, asked: str, fields: str) -> list[Json]:
        """Return what GraphQL finds, which answers 200 with errors; nothing of a tenant that is not there."""
        query = f'{{Get {{{self._class}(tenant: "{name_tenant(tenant_id)}" {asked}) {{{fields}}}}}}}'
        status, reply = self._send("POST", "/v1/graphql", {"query": query})
        said = read_errors(reply)
        if NO_TENANT.search(said):
            return []
        if status >= 400:
            raise translate_status(status, reply)
        if said:
            self._ready = False  # the collection may have been removed: the next call looks again
            raise translate_message(said)
        try:
            return list(reply["data"]["Get"][self._class] or ())
        except (KeyError, TypeError) as error:
            raise StoreUnavailable("the vector store's answer lacks the requested data") from error

    def _delete(self, tenant_id: str, where: Json) -> None:
        path = f"/v1/batch/objects?tenant={name_tenant(tenant_id)}"
        body = {"match": {"class": self._class, "where": where}, "output": "minimal", "dryRun": False}
        for _ in range(MAX_REMOVALS):
            status, reply = self._send("DELETE", path, body)
            if status >= 400:
                if NO_TENANT.search(read_errors(reply)):
                    return
                raise translate_status(status, reply)
            results = (reply or {}).get("results")
            if not results:
                raise StoreUnavailable("the vector store does not say what it removed")
            more = results["matches"] > results["limit"]
            if results.get("failed") or (more and not results.get("successful")):
                raise StoreUnavailable("the vector store removed some of the vectors only")
            if not more:
                return
        raise StoreUnavailable(f"the vector store did not remove all vectors in {MAX_REMOVALS:,} requests")

    def _is_ready(self) -> bool:
        """Return whether the collection is there; it is looked at until it is."""
        if self._ready:
            return True
        self._open()
        status, reply = self._send("GET", f"/v1/schema/{self._class}", None)
        if status == 404:
            return False
        if status >= 400:
            raise translate_status(status, reply)
        if not isinstance(reply, dict):
            raise StoreUnavailable("the vector store does not say how its collection is made")
        if not is_own_collection(reply):
            raise ConfigurationError(
                "the vector store's collection was not made by Pentad",
                fix="name another one in the secret's collection",
            )
        self._ready = True
        return True

    def _prepare(self) -> None:
        """Make the collection where it is missing."""
        if self._is_ready():
            return
        status, reply = self._send("POST", "/v1/schema", make_collection(self._class))
        # 422 says that another writer was first, or that the server does not know such a collection.
        if status >= 400 and not (status == 422 and self._is_ready()):
            raise translate_status(status, reply)
        self._ready = True

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status and the JSON of an answer; None where it has none."""
        import httpx2

        client = self._open()
        try:
            reply = client.request(method, path, json=body)
            value = reply.json() if reply.content and reply.status_code < 400 else _read_refusal(reply.text)
        except (httpx2.HTTPError, ValueError) as error:
            raise StoreUnavailable(f"the vector store did not answer: {type(error).__name__}") from error
        if reply.status_code >= 400:
            self._ready = False  # the collection may have been removed: the next call looks again
        if reply.status_code in (401, 403):
            self.close()  # the key may have been rotated: the next call reads the secret again
        return reply.status_code, value

    def _open(self) -> "httpx2.Client":
        import httpx2

        with self._lock:
            if self._client is None:
                secret = self._credentials()
                name = secret.get("collection", COLLECTION)
                if not secret.get("url") or not _CLASS.fullmatch(name):
                    raise ConfigurationError(
                        "the vector store's secret has no url, or a collection that does not begin with a capital",
                        field="collection" if secret.get("url") else "url",
                        fix='set the secret to {"url": "https://HOST", "api_key": "...", "collection": "Pentad"}',
                    )
                headers = {"Authorization": f"Bearer {secret['api_key']}"} if secret.get("api_key") else {}
                self._class = name
                self._client = httpx2.Client(
                    base_url=secret["url"], headers=headers, timeout=self._timeout, verify=get_trust()
                )
            return self._client


def _make_match(one: Json) -> Match:
    return Match(vector_id=one["vector_id"], metadata=json.loads(one["metadata"]))


def _read_refusal(text: str) -> Any:
    """Return the JSON of a refusal; None where a proxy answered in its own words."""
    try:
        return read_json(text)
    except ValueError:
        return None
