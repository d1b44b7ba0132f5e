"""Reranking by a model that Pinecone hosts, where the secret names one."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pentad.memory.retrieval.adapters.vectors_pinecone import translate_error

if TYPE_CHECKING:
    from pinecone import Pinecone

MOST_TEXTS = 100
"""Of a request to bge-reranker-v2-m3 (docs.pinecone.io, models, read 2026-11)."""
_TEXT_CHARACTERS = 4000
"""The models read 1,024 tokens of question and text; the rest would be refused or cut."""


class PineconeReranker:
    """A `Reranker`.

    Args:
        credentials: returns the vector store's secret. ``rerank_model``, such as ``bge-reranker-v2-m3``, turns it on;
            ``inference_host`` is for a server of one's own.
        timeout_seconds: for connecting and for each pause in an answer, per attempt.
    """

    def __init__(self, credentials: Callable[[], Mapping[str, str]], *, timeout_seconds: float = 10.0) -> None:
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._client: Pinecone | None = None

    def rerank(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """Return how well each text answers the question; None where the secret names no model.

        Raises:
            StoreUnavailable: Pinecone did not answer.
            ConfigurationError: it refused: the key, or the model.
        """
        secret = self._credentials()
        model = secret.get("rerank_model")
        if not model or not texts:
            return None
        from pinecone.errors import PineconeError

        try:
            reply = self._open(secret).inference.rerank(
                model=model,
                query=question[:_TEXT_CHARACTERS],
                documents=[{"text": text[:_TEXT_CHARACTERS]} for text in texts[:MOST_TEXTS]],
                return_documents=False,
            )
        except PineconeError as error:
            self.close()  # the key may have been rotated: the next call reads the secret again
            raise translate_error(error) from error
        scores = dict.fromkeys(range(len(texts)), 0.0) | {one.index: one.score for one in reply.data}
        return [scores[place] for place in range(len(texts))]

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self, secret: Mapping[str, str]) -> "Pinecone":
        with self._lock:
            if self._client is None:
                from pinecone import Pinecone

                self._client = Pinecone(
                    api_key=secret["api_key"], host=secret.get("inference_host") or None, timeout=self._timeout
                )
            return self._client
