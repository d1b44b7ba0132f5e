"""Pinecone's inference API, ``/rerank`` and ``/embed``, with what this machine has: BM25, and all-MiniLM-L6-v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.vectors.errors import BadRequest
from twin.vectors.fulltext import TextIndex

MAX_RERANK_DOCUMENTS = 100
"""Of bge-reranker-v2-m3 (docs.pinecone.io, models, read 2026-11)."""
MAX_EMBED_INPUTS = 96

Body = Mapping[str, Any]


def rerank(body: Body) -> Any:
    """Return the documents' places in the order of how many of the query's words they have.

    Raises:
        BadRequest: If the request is malformed or over a limit.
    """
    query, documents = body.get("query"), body.get("documents")
    model = _parse_model(body)
    if not isinstance(query, str) or not query:
        raise BadRequest("query must not be empty")
    if not isinstance(documents, list) or not 1 <= len(documents) <= MAX_RERANK_DOCUMENTS:
        raise BadRequest(f"documents must have between 1 and {MAX_RERANK_DOCUMENTS} items")
    fields = body.get("rank_fields") or ["text"]
    index = TextIndex()
    for place, document in enumerate(documents):
        index.put(str(place), _read_text(document, fields))
    found = index.score(query)
    # A model's scores are between 0 and 1; every document gets one.
    scores = [found.get(str(place), 0.0) for place in range(len(documents))]
    order = sorted(range(len(documents)), key=lambda place: (-scores[place], place))
    top_n = body.get("top_n") or len(documents)
    data: list[dict[str, Any]] = [{"index": place, "score": scores[place] / (1 + scores[place])} for place in order]
    if body.get("return_documents", True):
        data = [{**one, "document": documents[one["index"]]} for one in data]
    return {"model": model, "data": data[:top_n], "usage": {"rerank_units": 1}}


def embed(body: Body) -> Any:
    """Return a dense vector for each input.

    Raises:
        BadRequest: If the request is malformed or over a limit.
    """
    from twin.embeddings import get_shared_model, resize

    model, inputs = _parse_model(body), body.get("inputs")
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= MAX_EMBED_INPUTS:
        raise BadRequest(f"inputs must have between 1 and {MAX_EMBED_INPUTS} items")
    texts = [_read_text(one, ["text"]) for one in inputs]
    encoder = get_shared_model()
    vectors = encoder.embed(texts)
    dimension = (body.get("parameters") or {}).get("dimension")
    if isinstance(dimension, int) and dimension > 0:
        vectors = resize(vectors, dimension)
    return {
        "model": model,
        "vector_type": "dense",
        "data": [{"values": row.tolist(), "vector_type": "dense"} for row in vectors],
        "usage": {"total_tokens": sum(map(encoder.count_tokens, texts))},
    }


def _parse_model(body: Body) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("model must not be empty")
    return model


def _read_text(document: Any, fields: list[str]) -> str:
    if not isinstance(document, Mapping):
        raise BadRequest("Each document must be an object")
    words = [one for name in fields if isinstance(one := document.get(name), str)]
    if len(words) < len(fields):
        raise BadRequest(f"Each document must have the fields {', '.join(fields)}")
    return " ".join(words)
