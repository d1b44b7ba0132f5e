"""Extractive answers: the sentences that speak to the question, each with its citation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.embeddings import get_shared_model
from twin.simulator.rules.prompt import Passage
from twin.simulator.rules.text import ENDS, extract_terms, is_long, shorten, split_sentences

MAX_SENTENCES = 4
MAX_CANDIDATES = 200
_K1, _B = 1.2, 0.75
"""BM25's usual constants (Robertson and Zaragoza 2009)."""

_MEANING_WEIGHT = 3.0
_TITLE_WEIGHT = 0.35
_SENTENCE_CHARACTERS = 420
_MIN_COVER = 0.3
"""Share of the question that a sentence must speak to, each term weighed by its rarity in the passages."""


@dataclass(frozen=True)
class Scored:
    """A sentence with the passage it stands in."""

    passage: Passage
    order: int
    text: str
    score: float
    cover: float


def compute_weights(question: str, background: str = "") -> dict[str, float]:
    """Return the question's terms with weight 1 and those of what it refers back to with half of it."""
    weights = dict.fromkeys(extract_terms(background), 0.5)
    return weights | dict.fromkeys(extract_terms(question), 1.0)


def answer_from(passages: Sequence[Passage], question: str, background: str = "", *, cite: bool = True) -> str | None:
    """Return one to four sentences that answer, in reading order, or None if none is relevant."""
    chosen = choose(passages, question, background)
    if not chosen:
        return None
    return " ".join(_add_citation(one) if cite else shorten(one.text, _SENTENCE_CHARACTERS) for one in chosen)


def choose(passages: Sequence[Passage], question: str, background: str = "") -> list[Scored]:
    """Return the best sentences in the order of the passages."""
    weights = compute_weights(question, background)
    if not weights:
        return []
    ranked = sorted(_score(passages, weights, f"{background} {question}".strip()), key=lambda one: -one.score)
    relevant = [one for one in ranked if one.cover >= _MIN_COVER]
    if not relevant:
        return []
    best = relevant[0].score
    chosen: list[Scored] = []
    for one in relevant:
        if one.score >= 0.6 * best and one.text not in {other.text for other in chosen}:
            chosen.append(one)
        if len(chosen) == MAX_SENTENCES:
            break
    return sorted(chosen, key=lambda one: one.order)


def compute_coverage(passages: Sequence[Passage], question: str) -> float:
    """Return the share of the question's terms that the passages contain."""
    wanted = set(extract_terms(question))
    present = {term for passage in passages for term in extract_terms(f"{passage.title} {passage.text}")}
    return len(wanted & present) / len(wanted) if wanted else 0.0


def _score(passages: Sequence[Passage], weights: Mapping[str, float], query: str) -> list[Scored]:
    candidates = [
        (passage, sentence) for passage in passages for sentence in split_sentences(passage.text) if is_long(sentence)
    ][:MAX_CANDIDATES]
    counted = [Counter(extract_terms(sentence)) for _, sentence in candidates]
    if not counted:
        return []
    frequency = Counter(term for counts in counted for term in counts)
    average = sum(sum(counts.values()) for counts in counted) / len(counted) or 1.0
    meaning = _compute_similarities(query, [sentence for _, sentence in candidates])
    rarity = {term: math.log(1 + (len(counted) - frequency[term] + 0.5) / (frequency[term] + 0.5)) for term in weights}
    # What a follow-up refers back to helps a sentence, but a sentence need not repeat it.
    total = sum(rarity[term] for term, weight in weights.items() if weight >= 1.0) or sum(rarity.values())
    scored = []
    for order, ((passage, sentence), counts) in enumerate(zip(candidates, counted, strict=True)):
        title = set(extract_terms(f"{passage.title} {passage.document}"))
        length = _K1 * (1 - _B + _B * sum(counts.values()) / average)
        lexical = cover = 0.0
        for term, weight in weights.items():
            if term in counts:
                lexical += weight * rarity[term] * counts[term] * (_K1 + 1) / (counts[term] + length)
                cover += weight * rarity[term]
            elif term in title:
                lexical += weight * _TITLE_WEIGHT * rarity[term]
                cover += weight * rarity[term] * 0.5
        score = lexical + _MEANING_WEIGHT * max(0.0, meaning[order])
        # A close paraphrase counts as relevant even when it shares few words.
        shared = max(cover / total, meaning[order] if meaning[order] >= 0.5 else 0.0)
        scored.append(Scored(passage, order, sentence, score, shared))
    return scored


def _compute_similarities(query: str, texts: Sequence[str]) -> list[float]:
    """Return cosines where the embedder is in memory already, else zeros: loading it here would cost seconds.

    It reads English. To texts in another script it gives vectors that are all near each other, and say nothing.
    """
    model = get_shared_model()
    foreign = sum(character.isalpha() and not character.isascii() for character in query)
    if not model.loaded or 2 * foreign > sum(map(str.isalpha, query)):
        return [0.0] * len(texts)
    vectors = model.embed([query, *texts])
    return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


def _add_citation(one: Scored) -> str:
    text = shorten(one.text, _SENTENCE_CHARACTERS)
    ending = text[-1] if text and text[-1] in ENDS else "."
    return f"{text.rstrip(ENDS)}{one.passage.marker}{ending}"
