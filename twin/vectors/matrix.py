"""One namespace in memory: a matrix that brute-force search multiplies by the query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from twin.vectors.filters import Predicate
from twin.vectors.fulltext import TextIndex
from twin.vectors.records import Floats, Record, Sparse

_FIRST_ROWS = 64


class NamespaceMatrix:
    """Records in rows of a growing matrix. Not thread-safe: the store holds the lock."""

    def __init__(self, dimension: int, metric: str, texts: Iterable[str] = ()) -> None:
        self._metric = metric
        self._texts = {name: TextIndex() for name in texts}
        self._rows: dict[str, int] = {}
        self._records: list[Record] = []
        self._matrix: Floats = np.empty((_FIRST_ROWS, dimension), dtype=np.float32)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """Iterate over the records in no particular order."""
        return iter(self._records)

    def get(self, id_: str) -> Record | None:
        """Return a record or None."""
        row = self._rows.get(id_)
        return None if row is None else self._records[row]

    def put(self, record: Record) -> None:
        """Insert or replace a record."""
        row = self._rows.get(record.id)
        if row is None:
            row = len(self._records)
            if row == self._matrix.shape[0]:
                self._matrix = np.concatenate([self._matrix, np.empty_like(self._matrix)])
            self._rows[record.id] = row
            self._records.append(record)
        else:
            self._records[row] = record
        self._matrix[row] = self._normalize(record.values)
        for name, index in self._texts.items():
            text = (record.metadata or {}).get(name)
            if isinstance(text, str):
                index.put(record.id, text)
            else:
                index.drop(record.id)

    def drop(self, id_: str) -> None:
        """Remove a record, if it is there, by moving the last row into its place."""
        row = self._rows.pop(id_, None)
        if row is None:
            return
        for index in self._texts.values():
            index.drop(id_)
        last = self._records.pop()
        if last.id != id_:
            self._records[row] = last
            self._rows[last.id] = row
            self._matrix[row] = self._matrix[len(self._records)]

    def search(
        self, values: Floats, top_k: int, keep: Predicate | None, sparse: Sparse | None
    ) -> list[tuple[Record, float]]:
        """Return the closest records with their scores, best first; ties by id, so results repeat."""
        if not self._records:
            return []
        scores = self._compute_scores(values)
        if sparse:
            scores = scores + np.array([_sparse_dot(record.sparse, sparse) for record in self._records])
        sign = 1.0 if self._metric == "euclidean" else -1.0
        found: list[tuple[Record, float]] = []
        # The filter is asked from the best on: it costs more than the score, and few are wanted.
        for row in np.argsort(sign * scores, kind="stable").tolist():
            record, score = self._records[row], float(scores[row])
            # Every record that ties with the last one is kept, then they are cut after sorting by id.
            if len(found) >= top_k and sign * score > sign * found[-1][1]:
                break
            if keep is None or keep(record.metadata or {}):
                found.append((record, score))
        found.sort(key=lambda pair: (sign * pair[1], pair[0].id))
        return found[:top_k]

    def search_text(
        self, queries: Iterable[tuple[str, str]], top_k: int, keep: Predicate | None
    ) -> list[tuple[Record, float]]:
        """Return the records with any of the words of the (field, query) pairs, the best first; ties by id."""
        scores: dict[str, float] = {}
        for name, query in queries:
            for id_, score in self._texts[name].score(query).items():
                scores[id_] = scores.get(id_, 0.0) + score
        found: list[tuple[Record, float]] = []
        for id_ in sorted(scores, key=lambda id_: (-scores[id_], id_)):
            record = self._records[self._rows[id_]]
            if keep is None or keep(record.metadata or {}):
                found.append((record, scores[id_]))
            if len(found) == top_k:
                break
        return found

    def _compute_scores(self, values: Floats) -> Floats:
        matrix = self._matrix[: len(self._records)]
        if self._metric == "euclidean":
            difference = matrix - values
            distances: Floats = np.einsum("ij,ij->i", difference, difference)
            return distances
        scores: Floats = matrix @ self._normalize(values)
        return np.clip(scores, -1.0, 1.0) if self._metric == "cosine" else scores

    def _normalize(self, values: Floats) -> Floats:
        if self._metric != "cosine":
            return values
        norm = np.linalg.norm(values)
        unit: Floats = values / norm if norm else values
        return unit


def _sparse_dot(stored: Sparse | None, query: Sparse) -> float:
    return sum(value * stored.get(index, 0.0) for index, value in query.items()) if stored else 0.0
