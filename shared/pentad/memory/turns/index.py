"""Score everything that was said against a question. Pure.

Each signal is standardised (its mean taken away, divided by its deviation) over all that was said, and the weighted sum
counts. Measured on conversations with known evidence, that finds more than ranks do: how far the best stands out is
what a rank forgets. The weights are data (`WEIGHTS`); `benchmarks/memory` fits them on some conversations and reports
on others.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Final

from pentad.domain.knowledge import Utterance
from pentad.memory.retrieval.words import split_words, weigh_word
from pentad.memory.turns.ports import Place
from pentad.memory.turns.said import Memory
from pentad.memory.turns.segments import quantise

_K1: Final = 1.2
_B: Final = 0.75
_MIN_NAMED: Final = 2
"""Times that a name has to have spoken to be one: "Note: ..." is no speaker."""
_USUAL_COSINE: Final = 0.1
"""Of two texts that have nothing to do with each other."""
_USUAL_WEIGHT: Final = 20
_sum_products = getattr(math, "sumprod", None)  # Python 3.12 and later, several times as fast


@dataclass(frozen=True)
class Weights:
    """What each signal is worth, in deviations of the score.

    Attributes:
        words: BM25 of what was said and what was said before it.
        dense: the cosine of question and utterance.
        previous: how much of the utterance before counts among an utterance's words.
        near: the score of each neighbour.
        next_near: the score of each neighbour's neighbour.
        session: how well the best of the session fit.
        named: a speaker whom the question names.
    """

    words: float = 0.4
    dense: float = 1.0
    previous: float = 0.5
    near: float = 0.15
    next_near: float = 0.1
    session: float = 0.3
    named: float = 1.0


WEIGHTS: Final = Weights()


@dataclass(frozen=True)
class Scored:
    """An utterance with its score.

    Attributes:
        utterance: what was said.
        score: the weighted sum, in deviations.
        signals: what it consists of, by name: ``words``, ``dense``, ``near``, ``session``, ``named``.
        cover: of what the question's words say (rare ones more), the share that it and the one before it have.
        rarity: what those words say in all, in words that stand in one utterance only: one that is in every second says
            next to nothing.
        cosine: of question and utterance, or None where it was not compared.
    """

    utterance: Utterance
    score: float
    signals: Mapping[str, float]
    cover: float = 0.0
    cosine: float | None = None
    rarity: float = 0.0


@dataclass(frozen=True)
class Ranking:
    """What was said, best first.

    Attributes:
        scored: the best first.
        usual: the cosine that is usual among all that was said, which the nearest has to stand out from.
    """

    scored: tuple[Scored, ...] = ()
    usual: float = 0.0


@dataclass
class _Index:
    """All that was said, by session and order, with postings over all segments."""

    said: list[Utterance] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    postings: dict[str, dict[int, int]] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)


def rank_said(
    memory: Memory,
    question: str,
    vector: Sequence[float] | None = None,
    *,
    model: str = "",
    weights: Weights = WEIGHTS,
) -> Ranking:
    """Return what was said, best first.

    Args:
        memory: what is kept for an owner.
        question: what is searched for.
        vector: the question's, or None to go by words alone.
        model: what made it; vectors of other models are not compared.
        weights: what each signal is worth.
    """
    words = list(dict.fromkeys(split_words(question)))
    index = _build_index(memory, words)
    if not index.said:
        return Ranking()
    named = _find_named(index, question)
    lexical, rarities, asked = _score_words(index, [word for word in words if word not in named], weights.previous)
    dense = _score_dense(index, memory, vector, model)
    cosines: Sequence[float | None] = dense or [None] * len(index.said)
    once = weigh_word(len(index.said), 1)
    parts = {"words": [weights.words * one for one in _standardise(lexical)]}
    if dense is not None:
        parts["dense"] = [weights.dense * one for one in _standardise_known(dense)]
    base = [math.fsum(one) for one in zip(*parts.values(), strict=True)]
    parts["near"] = _score_neighbours(index, base, weights)
    total = [own + near for own, near in zip(base, parts["near"], strict=True)]
    parts["session"] = [weights.session * one for one in _standardise(_score_sessions(index, base))]
    parts["named"] = _score_named(index, named, weights.named)
    total = [math.fsum(one) for one in zip(total, parts["session"], parts["named"], strict=True)]
    order = sorted(range(len(total)), key=lambda place: (-total[place], index.said[place].place))
    scored = tuple(
        Scored(
            index.said[place],
            total[place],
            {name: values[place] for name, values in parts.items()},
            rarities[place] / asked if asked else 0.0,
            cosines[place],
            rarities[place] / once,
        )
        for place in order
    )
    return Ranking(scored, _find_usual(cosines))


def _build_index(memory: Memory, words: Sequence[str]) -> _Index:
    """Return all utterances in the order of sessions, with the postings of the question's words."""
    newest: dict[Place, tuple[int, int]] = {}
    for number, segment in enumerate(memory.words):
        for at, one in enumerate(segment.said):
            newest[one.place] = (number, at)
    held = [newest[place] for place in sorted(newest)]
    sessions = [memory.words[number].said[at].session_id for number, at in held]
    before = [at - 1 if at and sessions[at - 1] == sessions[at] else -1 for at in range(len(held))]
    after = [at + 1 if at + 1 < len(held) and sessions[at + 1] == sessions[at] else -1 for at in range(len(held))]
    return _Index(
        said=[memory.words[number].said[at] for number, at in held],
        lengths=[memory.words[number].lengths[at] for number, at in held],
        postings=_merge_postings(memory, words, {one: place for place, one in enumerate(held)}),
        before=before,
        after=after,
    )


def _merge_postings(
    memory: Memory, words: Sequence[str], places: Mapping[tuple[int, int], int]
) -> dict[str, dict[int, int]]:
    """Return of each word where it stands, and how often; by the places of all that was said."""
    merged: dict[str, dict[int, int]] = {}
    for word in words:
        found = {
            places[number, at]: count
            for number, segment in enumerate(memory.words)
            for at, count in segment.postings.get(word, ())
            if (number, at) in places
        }
        if found:
            merged[word] = found
    return merged


def _score_words(index: _Index, words: Sequence[str], previous: float) -> tuple[list[float], list[float], float]:
    """Return BM25 of each utterance with the one before it, what its words of the question say, and what all do."""
    count = len(index.said)
    lengths = [
        own + (previous * index.lengths[before] if before >= 0 else 0.0)
        for own, before in zip(index.lengths, index.before, strict=True)
    ]
    mean = math.fsum(lengths) / count or 1.0
    norms = [_K1 * (1 - _B + _B * length / mean) for length in lengths]
    scores, covered = [0.0] * count, [0.0] * count
    asked = 0.0
    for word in words:
        found: dict[int, float] = {}
        for place, times in index.postings.get(word, {}).items():
            found[place] = found.get(place, 0.0) + times
            after = index.after[place]
            if after >= 0 and previous:
                found[after] = found.get(after, 0.0) + previous * times
        rarity = weigh_word(count, len(found))
        asked += rarity
        for place, weighed in found.items():
            scores[place] += rarity * weighed * (_K1 + 1) / (weighed + norms[place])
            covered[place] += rarity
    return scores, covered, asked


def _score_dense(
    index: _Index, memory: Memory, vector: Sequence[float] | None, model: str
) -> list[float | None] | None:
    """Return the cosine of each utterance that has a vector of the question's model; None where none has."""
    if vector is None:
        return None
    row, scale = quantise(vector)
    asked = list(memoryview(row).cast("b"))
    cosines: dict[Place, float] = {}
    for segment in memory.vectors:
        if segment.model != model:
            continue
        for place, held, other in zip(segment.places, segment.rows, segment.scales, strict=True):
            if len(held) == len(asked):
                cosines[place] = scale * other * _multiply(asked, list(memoryview(held).cast("b")))
    if not cosines:
        return None
    return [cosines.get(one.place) for one in index.said]


def _find_usual(cosines: Sequence[float | None]) -> float:
    """Return the mean cosine; where little was said, it is nearer to what is usual anywhere."""
    known = [one for one in cosines if one is not None]
    return (math.fsum(known) + _USUAL_COSINE * _USUAL_WEIGHT) / (len(known) + _USUAL_WEIGHT)


def _multiply(first: Sequence[int], second: Sequence[int]) -> int:
    if _sum_products is not None:
        return int(_sum_products(first, second))
    return sum(map(mul, first, second))


def _standardise(values: Sequence[float]) -> list[float]:
    """Return values in deviations from their mean; all zero where they are equal."""
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / deviation for value in values] if deviation > 1e-12 else [0.0] * len(values)


def _standardise_known(values: Sequence[float | None]) -> list[float]:
    """Return values in deviations from their mean; one that is not known is the mean."""
    known = [value for value in values if value is not None]
    standard = iter(_standardise(known))
    return [0.0 if value is None else next(standard) for value in values]


def _score_neighbours(index: _Index, base: Sequence[float], weights: Weights) -> list[float]:
    """Return what the scores of what was said around it add: an answer stands beside its question."""
    found = [0.0] * len(base)
    for place in range(len(base)):
        for step in (index.before, index.after):
            near = step[place]
            if near < 0:
                continue
            found[place] += weights.near * base[near]
            if step[near] >= 0:
                found[place] += weights.next_near * base[step[near]]
    return found


def _score_sessions(index: _Index, base: Sequence[float]) -> list[float]:
    """Return of each utterance the mean of the three best scores of its session."""
    by_session: dict[str, list[float]] = {}
    for one, score in zip(index.said, base, strict=True):
        by_session.setdefault(one.session_id, []).append(score)
    best = {name: sorted(scores, reverse=True)[:3] for name, scores in by_session.items()}
    mean = {name: math.fsum(scores) / len(scores) for name, scores in best.items()}
    return [mean[one.session_id] for one in index.said]


def _find_named(index: _Index, question: str) -> dict[str, str]:
    """Return the one speaker whom the question names, by each word of the name; none where it names several."""
    counts: dict[str, int] = {}
    for one in index.said:
        counts[one.speaker] = counts.get(one.speaker, 0) + 1
    asked = set(re.findall(r"[^\W_]+", question.casefold()))
    every: dict[str, str] = {}
    found: set[str] = set()
    for speaker, count in counts.items():
        first = re.findall(r"[^\W_]+", speaker.casefold())[:1]
        if count >= _MIN_NAMED and first and first[0] in asked:
            found.add(speaker)
            every.update(dict.fromkeys(split_words(speaker), speaker))
    return every if len(found) == 1 else dict.fromkeys(every, "")


def _score_named(index: _Index, named: Mapping[str, str], weight: float) -> list[float]:
    speakers = {speaker for speaker in named.values() if speaker}
    return [weight if one.speaker in speakers else 0.0 for one in index.said]
