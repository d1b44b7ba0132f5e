"""Decide which candidates speak best to a question. Pure: the same signals give the same order.

A score says little by itself: cosines of one model lie between 0.6 and 0.9, of another between 0 and 0.7, and BM25 has
no upper end. So each kind is standardised over the candidates of one question (how many deviations above their mean),
and the sum is weighted. A question of several parts is ranked part by part, and each part's best counts the same:
what is asked in one sentence among eight is found as if it had been asked alone.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Signals:
    """The scores of the candidates of one part of a question, by id. What has none has at most the lowest there is.

    Attributes:
        dense: cosine similarity.
        words: the store's score by words.
        company: cosine similarity to the mean of the best by the other two. What is like them speaks of the same thing,
            in words that the question does not have (pseudo-relevance feedback, Rocchio 1971).
    """

    dense: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)
    company: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RankWeights:
    """What each signal is worth; their sum does not matter."""

    dense: float
    words: float
    company: float = 0.0


WEIGHTS: Final = RankWeights(dense=0.5, words=0.5, company=0.3)
"""Fitted on one half of the questions of two collections and reported on the other (`make bench-memory`)."""


def rank(parts: Sequence[Signals], weights: RankWeights = WEIGHTS) -> dict[str, float]:
    """Return all candidates with their scores, the best first; 1 is the best of a part.

    Args:
        parts: the candidates of each part of the question.
        weights: what each signal is worth.
    """
    best: dict[str, float] = {}
    for part in parts:
        for name, score in _scale(_fuse(part, weights)).items():
            best[name] = max(score, best.get(name, score))
    return dict(sorted(best.items(), key=lambda pair: (-pair[1], pair[0])))


def standardise(scores: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    """Return for each name by how many standard deviations its score is above the mean of all of them.

    Args:
        scores: by name. A name without one is taken to have the lowest.
        names: all candidates.
    """
    lowest = min(scores.values(), default=0.0)
    known = {name: scores.get(name, lowest) for name in names}
    mean = math.fsum(known.values()) / (len(known) or 1)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in known.values()) / (len(known) or 1))
    return {name: (score - mean) / deviation if deviation > 1e-12 else 0.0 for name, score in known.items()}


def _fuse(part: Signals, weights: RankWeights) -> dict[str, float]:
    names = sorted({*part.dense, *part.words})
    dense, words, company = (standardise(scores, names) for scores in (part.dense, part.words, part.company))
    return {
        name: weights.dense * dense[name] + weights.words * words[name] + weights.company * company[name]
        for name in names
    }


def _scale(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores of which the best is 1."""
    best = max(scores.values(), default=0.0)
    # Where all are alike, none is better than the rest.
    return {name: score / best if best > 0 else 1.0 for name, score in scores.items()}
