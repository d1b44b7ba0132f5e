"""What retrieval asks of a vector store.

A store keeps the vectors of all tenants, each tenant's apart, and finds them by meaning (cosine similarity) and by
words. It returns candidates with the scores that it has; which of them are best is decided in `rank`, the same for
every store.

What a vector is for stands in its metadata: ``kind`` (``document``, ``turn``, ...), and where it is a user's own,
``owner``. Every search names the kind it wants.
"""

import math
import re
from collections.abc import Sequence
from typing import Literal, Protocol, Self

from pydantic import Field, field_validator, model_validator

from pentad.domain.values import FrozenValue, Page
from pentad.memory.retrieval.checks import Where, check_field, check_where

VectorStoreName = Literal["pinecone", "postgres", "qdrant", "s3vectors", "weaviate"]
"""Where a deployment may keep its vectors."""
Metadata = dict[str, str | int | float | bool | list[str]]

MAX_CANDIDATES = 1000
MAX_ID_CHARACTERS = 512
_ID = re.compile(r"[\x21-\x7e]+")


class Vector(FrozenValue):
    """A vector to store."""

    vector_id: str = Field(min_length=1, max_length=MAX_ID_CHARACTERS, description="printable ASCII without blanks")
    values: tuple[float, ...] = Field(min_length=1, description="finite, not all zero")
    text: str = Field(
        default="", description="indexed for words; comes back as it is or as the words that `split_words` makes of it"
    )
    metadata: Metadata = Field(default_factory=dict)

    @field_validator("vector_id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not _ID.fullmatch(value):
            raise ValueError("must be printable ASCII without blanks")
        return value

    @field_validator("values")
    @classmethod
    def _check_values(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(map(math.isfinite, value)) or not any(value):
            raise ValueError("must be finite numbers, not all of them zero")
        return value

    @field_validator("metadata")
    @classmethod
    def _check_metadata(cls, value: Metadata) -> Metadata:
        for name in value:
            check_field(name)
        return value


class SearchRequest(FrozenValue):
    """What to look for: at least one of ``dense`` and ``text``."""

    k: int = Field(ge=1, le=MAX_CANDIDATES, description="candidates of each kind")
    dense: tuple[float, ...] | None = Field(default=None, description="the question's vector, of the index's dimension")
    text: str | None = Field(default=None, description="words, in any script")
    where: Where = Field(
        default_factory=dict,
        description="by field of the metadata: equals, or is one of; a list has one of. No value matches nothing",
    )

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if self.dense is None and self.text is None:
            raise ValueError("a search needs 'dense' or 'text'")
        check_where(self.where)
        return self


class Match(FrozenValue):
    """A vector found. A score that is None was not computed; it is at most the lowest that was."""

    vector_id: str
    dense: float | None = Field(default=None, description="cosine similarity, -1 to 1")
    words: float | None = Field(default=None, description="the store's own score by words, larger is nearer")
    metadata: Metadata


class StoreCapabilities(FrozenValue):
    """What a store can do; what it can't, it leaves out of its answers (`words`) or refuses."""

    dense: bool = True
    words: bool = Field(description="finds by words; where not, a request's ``text`` is ignored")
    filters: bool = True
    pages: bool = Field(default=True, description="lists ids by prefix")
    dimension: int | None = Field(description="numbers a vector has; None: what the first one has, or not known")
    max_metadata_bytes: int = Field(description="of one vector's metadata, as JSON in UTF-8")
    consistency: Literal["strong", "eventual"] = Field(description="if a search sees what was stored before it")


class Reranker(Protocol):
    """A model that reads a question and a text together, which says more than how near their vectors are."""

    def rerank(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """Return how well each text answers the question, larger is better; None where no model is set up.

        Raises:
            StoreUnavailable: it did not answer.
            ConfigurationError: it refused.
        """
        ...


class VectorStore(Protocol):
    """Vectors of tenants. A call sees and changes the vectors of the tenant it names and of no other.

    Every method may raise `StoreUnavailable` (the store did not answer) and `ConfigurationError` (it refused: the
    credential, or vectors of another dimension than the index has).
    """

    @property
    def capabilities(self) -> StoreCapabilities:
        """What this store can do."""
        ...

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id. Batches are the adapter's affair.

        Raises:
            InvalidInput: a vector's metadata is larger than ``max_metadata_bytes``.
        """
        ...

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words, each once, with the scores it has.

        Those found by meaning come first, nearest first; then those found by words alone, best first.
        """
        ...

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id: their metadata is renewed without embedding again."""
        ...

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error."""
        ...

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match, as in a search; without a condition it removes none.

        Raises:
            ValueError: there is no condition: `delete_tenant` removes all.
        """
        ...

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove all vectors of the tenant; a tenant without any is no error."""
        ...

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return one page of the ids that begin with ``prefix``, in order.

        Args:
            tenant_id: the tenant.
            prefix: what the ids begin with.
            cursor: of the page before.
            limit: at most so many, 1 to 100.
        """
        ...
