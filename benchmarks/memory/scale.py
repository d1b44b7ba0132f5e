"""What the cosines of an embedding model say: the row of `pentad.memory.retrieval.scores.scales`, fitted and checked.

Of each collection every second question is fitted on: its passages that answer, and the nearest passages of the other
collections, which are about something else. Each collection counts the same, and so do both kinds. On the other
questions it is told how much a minimum keeps of the first, and how much it lets through of the second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.memory.corpora import Corpus
from benchmarks.memory.embedding import KeptEmbedder
from benchmarks.memory.indexing import CONTEXT, TENANT
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.ports import Vector

SHARES = (0.02, 0.05, 0.1, 0.2, 0.5)
_PAGE = 1000
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Indexed:
    """A collection with its passages' vectors and the documents that these are of."""

    corpus: Corpus
    vectors: Numbers
    documents: tuple[str, ...]


def read_vectors(store: MemoryVectors) -> list[Vector]:
    """Return all that a store holds."""
    cursor: str | None = None
    found: list[Vector] = []
    while True:
        page = store.list_ids(TENANT, cursor=cursor, limit=_PAGE)
        found += store.fetch(TENANT, page.items).values()
        cursor = page.cursor
        if cursor is None:
            return found


def read_indexed(corpus: Corpus, store: MemoryVectors) -> Indexed:
    """Return what a store holds of a collection."""
    vectors = read_vectors(store)
    documents = tuple(str(one.metadata["document"]) for one in vectors)
    return Indexed(corpus, _make_units([one.values for one in vectors]), documents)


def list_scale(indexed: Sequence[Indexed], embedder: KeptEmbedder) -> Iterator[tuple[str, ...]]:
    """Yield rows: the fit, and what minima keep and let through, on the half that was not fitted."""
    slope, offset = _fit(*_list_pairs(indexed, embedder, fitted=True))
    yield "fitted", f"midpoint {-offset / slope:.3f}", f"slope {slope:.1f}", ""
    related, unrelated = _list_pairs(indexed, embedder, fitted=False)
    for share in SHARES:
        cosine = float((np.log(share / (1 - share)) - offset) / slope)
        kept, through = ([float((one >= cosine).mean()) for one in group] for group in (related, unrelated))
        yield f"relevance {share}", f"cosine {cosine:.3f}", _show(kept), _show(through)


def _list_pairs(
    indexed: Sequence[Indexed], embedder: KeptEmbedder, *, fitted: bool
) -> tuple[list[Numbers], list[Numbers]]:
    """Return cosines, by collection: of passages that answer, and of the nearest that are about something else."""
    related, unrelated = [], []
    for one in indexed:
        questions = one.corpus.halve()[0 if fitted else 1]
        asked = _make_units(embedder.embed([each.text for each in questions], CONTEXT, deadline=0).vectors)
        cosines = asked @ one.vectors.T
        names = np.array(one.documents)
        answers = [
            float(cosines[number][names == name].max())
            for number, question in enumerate(questions)
            for name in sorted(question.relevant)
            if (names == name).any()
        ]
        related.append(np.array(answers))
        others = [(asked @ other.vectors.T).max(axis=1) for other in indexed if other is not one]
        unrelated.append(np.concatenate(others))
    return related, unrelated


def _fit(related: Sequence[Numbers], unrelated: Sequence[Numbers]) -> tuple[float, float]:
    """Return slope and offset of a logistic regression, by Newton's method."""
    groups = [*((one, 1.0) for one in related), *((one, 0.0) for one in unrelated)]
    cosines = np.concatenate([one for one, _ in groups])
    wanted = np.concatenate([np.full(len(one), kind) for one, kind in groups])
    weights = np.concatenate([np.full(len(one), 1 / len(one)) for one, _ in groups])
    design = np.stack([cosines, np.ones_like(cosines)], axis=1)
    found = np.array([10.0, -3.0])
    for _ in range(100):
        said = 1 / (1 + np.exp(-design @ found))
        gradient = design.T @ (weights * (wanted - said))
        curvature = design.T @ (design * (weights * said * (1 - said))[:, None])
        found = found + np.linalg.solve(curvature, gradient)
    return float(found[0]), float(found[1])


def _make_units(vectors: Sequence[Sequence[float]]) -> Numbers:
    made = np.array(vectors, dtype=np.float64)
    units: Numbers = made / np.linalg.norm(made, axis=1, keepdims=True)
    return units


def _show(shares: Sequence[float]) -> str:
    return ", ".join(f"{share:.1%}" for share in shares)
