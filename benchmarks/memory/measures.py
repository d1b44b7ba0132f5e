"""How good a ranking is."""

import math
from collections.abc import Callable, Sequence

from pentad.domain.knowledge import Passage

DEPTH = 10


def measure_ndcg(ranked: Sequence[str], relevant: frozenset[str], depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain of the first ten, 0 to 1; all relevant ones count the same."""
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(ranked[:depth]) if name in relevant)
    best = sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))
    return gain / best if best else 0.0


def measure_found(
    passages: Sequence[Passage], relevant: frozenset[str], tokens: int, count: Callable[[str], int]
) -> float:
    """Return the share of the relevant documents of which a passage stands within the first so many tokens."""
    found: set[str] = set()
    for passage in passages:
        tokens -= count(passage.text)
        if tokens < 0:
            break
        found.add(passage.document)
    return len(found & relevant) / len(relevant)


def list_documents(passages: Sequence[Passage]) -> list[str]:
    """Return the documents of passages, each once, in order."""
    return list(dict.fromkeys(passage.document for passage in passages))
