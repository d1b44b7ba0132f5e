"""Vectors in a dictionary, searched one by one."""

import math
import threading
from collections.abc import Sequence
from operator import mul

from pentad.domain.errors import ConfigurationError
from pentad.domain.values import Page
from pentad.memory.retrieval.checks import Where, check_metadata_size, is_match, require_condition
from pentad.memory.retrieval.ports import Match, SearchRequest, StoreCapabilities, Vector
from pentad.memory.retrieval.words import WordIndex, pick_query_words, split_words

MAX_METADATA_BYTES = 40 * 1024


class _Tenant:
    """The vectors of one tenant, made units, and their words."""

    def __init__(self) -> None:
        self.vectors: dict[str, Vector] = {}
        self.units: dict[str, tuple[float, ...]] = {}
        self.words = WordIndex()

    def put(self, vector: Vector) -> None:
        self.vectors[vector.vector_id] = vector
        self.units[vector.vector_id] = _make_unit(vector.values)
        self.words.put(vector.vector_id, split_words(vector.text))

    def drop(self, name: str) -> None:
        if self.vectors.pop(name, None) is not None:
            del self.units[name]
            self.words.drop(name)


class MemoryVectors:
    """A vector store for tests and for one process.

    Args:
        dimension: numbers a vector has; what the first one has where none is given.
    """

    def __init__(self, dimension: int | None = None) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[str, _Tenant] = {}
        self._dimension = dimension

    @property
    def capabilities(self) -> StoreCapabilities:
        """All that the port knows."""
        return StoreCapabilities(
            words=True, dimension=self._dimension, max_metadata_bytes=MAX_METADATA_BYTES, consistency="strong"
        )

    def upsert(self, tenant_id: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id.

        Raises:
            InvalidInput: a vector's metadata is larger than 40 KB.
            ConfigurationError: a vector has another dimension than those before.
        """
        with self._lock:
            for vector in vectors:
                self._check(vector.values)
                check_metadata_size(vector.vector_id, vector.metadata, MAX_METADATA_BYTES)
            own = self._tenants.setdefault(tenant_id, _Tenant())
            for vector in vectors:
                own.put(vector)

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        """Return the ``k`` nearest by meaning and the ``k`` best by words, each with both scores.

        Raises:
            ConfigurationError: the question's vector has another dimension than those that are stored.
        """
        with self._lock:
            if request.dense is not None:
                self._check(request.dense)
            own = self._tenants.get(tenant_id)
            if own is None:
                return []
            names = [name for name, one in own.vectors.items() if is_match(one.metadata, request.where)]
            dense = _score_dense(own, names, request.dense)
            allowed = set(names)
            found = own.words.score(pick_query_words(request.text)) if request.text is not None else {}
            words = {name: score for name, score in found.items() if name in allowed}
            chosen = dict.fromkeys((*_pick_best(dense, request.k), *_pick_best(words, request.k)))
            return [
                Match(
                    vector_id=name,
                    dense=dense.get(name),
                    words=None if request.text is None else words.get(name, 0.0),
                    metadata=own.vectors[name].metadata,
                )
                for name in chosen
            ]

    def fetch(self, tenant_id: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id."""
        with self._lock:
            own = self._tenants.get(tenant_id, _Tenant()).vectors
            return {name: own[name] for name in vector_ids if name in own}

    def delete(self, tenant_id: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error."""
        with self._lock:
            own = self._tenants.get(tenant_id, _Tenant())
            for name in vector_ids:
                own.drop(name)

    def delete_where(self, tenant_id: str, where: Where) -> None:
        """Remove the vectors whose metadata match.

        Raises:
            ValueError: there is no condition.
        """
        require_condition(where)
        with self._lock:
            own = self._tenants.get(tenant_id, _Tenant())
            for name in [name for name, one in own.vectors.items() if is_match(one.metadata, where)]:
                own.drop(name)

    def delete_tenant(self, tenant_id: str) -> None:
        """Remove all vectors of the tenant."""
        with self._lock:
            self._tenants.pop(tenant_id, None)

    def list_ids(self, tenant_id: str, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[str]:
        """Return one page of the ids that begin with ``prefix``, in order."""
        with self._lock:
            names = sorted(self._tenants.get(tenant_id, _Tenant()).vectors)
        after = [name for name in names if name.startswith(prefix) and name > (cursor or "")]
        return Page(items=tuple(after[:limit]), cursor=after[limit - 1] if len(after) > limit else None)

    def _check(self, values: Sequence[float]) -> None:
        self._dimension = self._dimension or len(values)
        if len(values) != self._dimension:
            raise ConfigurationError(
                f"the vector has {len(values)} numbers, and the index has vectors of {self._dimension}",
                fix="use the embedding model that the index was made for",
            )


def _score_dense(own: _Tenant, names: Sequence[str], values: Sequence[float] | None) -> dict[str, float]:
    if values is None:
        return {}
    unit = _make_unit(values)
    return {name: sum(map(mul, own.units[name], unit)) for name in names}


def _pick_best(scores: dict[str, float], k: int) -> list[str]:
    return sorted(scores, key=lambda name: (-scores[name], name))[:k]


def _make_unit(values: Sequence[float]) -> tuple[float, ...]:
    norm = math.hypot(*values)
    return tuple(value / norm for value in values) if norm else tuple(values)
