"""Vectors as documents of a Pinecone index with a schema: one field for meaning, one for words.

Source: the client's ``Index.documents`` (API version 2026-07) and docs.pinecone.io/guides/search/full-text-search, read
2026-11. A document's ``words`` are those of `split_words`, so Pinecone's own stemming and language stay off. A vector
clause stands alone in a search, so words are a second one. Which fields a search returns must be named, and ``*`` would
bring the vectors along; so the metadata travel once more as JSON in ``payload``, which also keeps 3 from becoming 3.0.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pentad.domain.values import Page
from pentad.memory.retrieval.adapters.at_once import search_both
from pentad.memory.retrieval.checks import WHERE_CHARACTERS, Where
from pentad.memory.retrieval.ports import Match, SearchRequest, Vector
from pentad.memory.retrieval.words import pick_query_words, split_words

if TYPE_CHECKING:
    from pinecone import Index
    from pinecone.models.documents.document import Document

VALUES_FIELD = "values"
WORDS_FIELD = "words"
PAYLOAD_FIELD = "payload"


class DocumentCalls:
    """The calls of an index with a schema."""

    has_words = True

    def make_item(self, vector: Vector) -> dict[str, Any]:
        """Return a vector as a document."""
        words = " ".join(split_words(vector.text))
        filterable = {name: value for name, value in vector.metadata.items() if _is_filterable(value)}
        payload = json.dumps(vector.metadata, ensure_ascii=False, separators=(",", ":"))
        # An empty text has no words to find; the field is left out.
        found_by = {WORDS_FIELD: words} if words else {}
        fields = {VALUES_FIELD: list(vector.values), PAYLOAD_FIELD: payload}
        return {"_id": vector.vector_id, **filterable, **found_by, **fields}

    def upsert(self, index: "Index", namespace: str, items: list[dict[str, Any]]) -> None:
        """Store documents, in one request."""
        index.documents.upsert(namespace=namespace, documents=items)

    def search(self, index: "Index", namespace: str, request: SearchRequest) -> list[Match]:
        """Return the nearest and those with the words, each with the score that it was found by; in two requests."""
        words = " ".join(pick_query_words(request.text or ""))

        def find_nearest() -> "list[Document]":
            clause = {"type": "dense_vector", "field": VALUES_FIELD, "values": list(request.dense or ())}
            return self._search(index, namespace, clause, request)

        def find_words() -> "list[Document]":
            clause = {"type": "text", "fields": [WORDS_FIELD], "query": words}
            return self._search(index, namespace, clause, request)

        nearest, worded = search_both(None if request.dense is None else find_nearest, find_words if words else None)
        found = {one.id: Match(vector_id=one.id, dense=one.score, metadata=_read_metadata(one)) for one in nearest}
        for one in worded:
            known = found.get(one.id) or Match(vector_id=one.id, metadata=_read_metadata(one))
            found[one.id] = known.model_copy(update={"words": one.score})
        return list(found.values())

    def fetch(self, index: "Index", namespace: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, in one request."""
        reply = index.documents.fetch(namespace=namespace, ids=list(vector_ids))
        return {
            name: Vector(
                vector_id=name,
                values=tuple(one.get(VALUES_FIELD)),
                text=one.get(WORDS_FIELD, ""),
                metadata=_read_metadata(one),
            )
            for name, one in reply.documents.items()
        }

    def delete(self, index: "Index", namespace: str, vector_ids: Sequence[str]) -> None:
        """Remove documents, in one request."""
        index.documents.delete(namespace=namespace, ids=list(vector_ids))

    def delete_where(self, index: "Index", namespace: str, where: Where) -> None:
        """Remove the documents whose metadata match."""
        index.documents.delete(namespace=namespace, filter=make_filter(where))

    def list_page(self, index: "Index", namespace: str, prefix: str, cursor: str | None, limit: int) -> Page[str]:
        """Return one page of ids."""
        pages = index.documents.list(
            namespace=namespace, prefix=prefix or None, limit=limit, pagination_token=cursor
        ).pages()
        page = next(iter(pages))
        return Page(items=tuple(one.id for one in page.items), cursor=page.pagination_token)

    def _search(
        self, index: "Index", namespace: str, clause: dict[str, Any], request: SearchRequest
    ) -> "list[Document]":
        reply = index.documents.search(
            namespace=namespace,
            score_by=[clause],
            top_k=request.k,
            include_fields=[PAYLOAD_FIELD],
            filter=make_filter(request.where),
        )
        return reply.matches


def make_filter(where: Where) -> dict[str, Any] | None:
    """Return conditions in Pinecone's language, or None where there is none."""
    if not where:
        return None
    return {
        name: {"$eq": wanted} if isinstance(wanted, str) else {"$in": list(wanted)} for name, wanted in where.items()
    }


def _is_filterable(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str) and len(one) <= WHERE_CHARACTERS for one in value)
    return isinstance(value, str) and len(value) <= WHERE_CHARACTERS


def _read_metadata(one: "Document") -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(one.get(PAYLOAD_FIELD) or "{}")
    return metadata
