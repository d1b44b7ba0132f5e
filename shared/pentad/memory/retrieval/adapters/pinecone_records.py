"""Vectors as records of a Pinecone index without a schema: dense, and sparse for words on a dotproduct index.

On a dotproduct index all vectors are stored and searched for as units, so that their product is the cosine, and a
question's words are asked for with a vector of zeros beside them, so that their score is that of the words alone.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.at_once import search_both
from pentad.memory.retrieval.adapters.pinecone_documents import WORDS_FIELD, make_filter
from pentad.memory.retrieval.adapters.pinecone_sparse import encode_query, encode_text
from pentad.memory.retrieval.checks import Where
from pentad.memory.retrieval.ports import Match, SearchRequest, Vector
from pentad.memory.retrieval.words import split_words

if TYPE_CHECKING:
    from pinecone import Index


class RecordCalls:
    """The calls of an index without a schema.

    Args:
        metric: of the index.
        dimension: of the index.
    """

    def __init__(self, metric: str | None, dimension: int | None) -> None:
        self.has_words = metric == "dotproduct"
        self._dimension = dimension or 0

    def make_item(self, vector: Vector) -> dict[str, Any]:
        """Return a vector as a record."""
        words = " ".join(split_words(vector.text))
        metadata = {**vector.metadata, **({WORDS_FIELD: words} if words else {})}
        item = {"id": vector.vector_id, "values": list(vector.values), "metadata": metadata}
        if self.has_words:
            norm = math.hypot(*vector.values)
            item["values"] = [value / norm for value in vector.values]
            indices, values = encode_text(vector.text)
            if indices:
                item["sparse_values"] = {"indices": indices, "values": values}
        return item

    def upsert(self, index: "Index", namespace: str, items: list[dict[str, Any]]) -> None:
        """Store records, in one request."""
        index.upsert(vectors=items, namespace=namespace)

    def search(self, index: "Index", namespace: str, request: SearchRequest) -> list[Match]:
        """Return the nearest, and on a dotproduct index those with the words, each with the score it was found by."""
        options: dict[str, Any] = {
            "top_k": request.k,
            "namespace": namespace,
            "filter": make_filter(request.where),
            "include_metadata": True,
        }
        indices, values = encode_query(request.text or "") if self.has_words else ([], [])

        def find_nearest() -> Any:
            norm = math.hypot(*(request.dense or ())) or 1.0
            return index.query(vector=[value / norm for value in request.dense or ()], **options).matches

        def find_words() -> Any:
            zeros = [0.0] * (self._dimension or len(request.dense or ()))
            return index.query(vector=zeros, sparse_vector={"indices": indices, "values": values}, **options).matches

        nearest, worded = search_both(None if request.dense is None else find_nearest, find_words if indices else None)
        found = {
            one.id: Match(vector_id=one.id, dense=one.score, metadata=_strip_words(one.metadata)) for one in nearest
        }
        for one in worded:
            if one.score <= 0:
                continue  # it has none of the words
            known = found.get(one.id) or Match(vector_id=one.id, metadata=_strip_words(one.metadata))
            found[one.id] = known.model_copy(update={"words": one.score})
        return list(found.values())

    def fetch(self, index: "Index", namespace: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, in one request."""
        reply = index.fetch(ids=list(vector_ids), namespace=namespace)
        return {
            name: Vector(
                vector_id=name,
                values=tuple(one.values or ()),
                text=str((one.metadata or {}).get(WORDS_FIELD, "")),
                metadata=_strip_words(one.metadata),
            )
            for name, one in reply.vectors.items()
        }

    def delete(self, index: "Index", namespace: str, vector_ids: Sequence[str]) -> None:
        """Remove records, in one request."""
        index.delete(ids=list(vector_ids), namespace=namespace)

    def delete_where(self, index: "Index", namespace: str, where: Where) -> None:
        """Remove the records whose metadata match."""
        index.delete(filter=make_filter(where), namespace=namespace)

    def list_page(self, index: "Index", namespace: str, prefix: str, cursor: str | None, limit: int) -> Page[str]:
        """Return one page of ids."""
        page = index.list_paginated(prefix=prefix or None, limit=limit, pagination_token=cursor, namespace=namespace)
        following = page.pagination.next if page.pagination is not None else None
        return Page(items=tuple(one.id for one in page.vectors if one.id is not None), cursor=following or None)


def _strip_words(metadata: Any) -> dict[str, Any]:
    # Every number comes back as a float.
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in (metadata or {}).items()
        if name != WORDS_FIELD
    }
