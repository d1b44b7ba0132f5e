"""Bring new statements together with what is known: the same said again, a correction, a contradiction. Pure.

Words decide first: equal normal forms are equal. Where an embedding says that two texts mean the same, they are one
only if their numbers, names and denials agree too: "has two cats" is near "has three cats" in every embedding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pentad.domain.memories.facts import Fact
from pentad.memory.facts.normal_forms import find_content, find_numbers, is_negated, split_words
from pentad.memory.facts.timeline import Statement

SAME: Final = 0.86
"""Cosine from which two texts mean the same, where numbers, names and denials agree."""
NEAR: Final = 0.75
"""Cosine from which two texts speak of the same, so that what differs between them is a contradiction."""
_GROUPS: Final = """
    live lives lived living home reside resides residence based,
    work works worked working job profession employed employer employs career occupation,
    learn learns learning learned study studies studying studied course, sell sells sold,
    buy buys bought purchase purchased, quit left resigned, lose lost, join joined joins,
    start started starts begin began, stop stopped stops ended, visit visited visits, want wants wanted plans,
    like likes liked love loves enjoy enjoys fond, hate hates dislike dislikes, prefer prefers preferred, to into,
    from, before, after, with, without, until, since, former formerly previously used, ex, wife, husband, partner,
    fianc\u00e9 fianc\u00e9e, girlfriend, boyfriend, son sons, daughter daughters, mother mom mum, father dad,
    brother brothers, sister sisters, friend friends, boss manager, colleague colleagues, grandmother grandma,
    grandfather grandpa, uncle, aunt, cousin, neighbour neighbor, one, two twice, three, four, five, six, seven,
    eight, nine, ten, eleven, twelve, left-handed, right-handed, morning mornings, evening evenings, night nights,
    north, south, east, west
"""
_APART: Final = {word: number for number, group in enumerate(_GROUPS.split(",")) for word in group.split()}
"""Words that set two near texts apart, where one has them and the other has none of their group."""
Similarity = Callable[[str, str], float | None]


def find_comparable(statement: Statement, facts: Sequence[Fact], most: int) -> list[Fact]:
    """Return the current facts that could mean the same: those with a word or the subject in common, nearest first."""
    words = set(find_content(statement.text))

    def count_shared(fact: Fact) -> int:
        return len(words & set(find_content(fact.text))) + (2 if fact.subject == statement.subject else 0)

    shared = [(count_shared(fact), fact) for fact in facts if fact.invalid_from is None]
    ranked = sorted((pair for pair in shared if pair[0]), key=lambda pair: (-pair[0], pair[1].fact_id))
    return [fact for _, fact in ranked[:most]]


def align(statement: Statement, facts: Sequence[Fact], similarity: Similarity) -> Statement:
    """Return a statement under the subject and value of the known fact that it repeats, corrects or denies.

    Args:
        statement: as the gate let it through.
        facts: all that is known of the user, history included.
        similarity: the cosine of two texts; None where no embedding is at hand.
    """
    same = next((fact for fact in facts if fact.value == statement.value), None)
    if same is not None:
        return replace(statement, subject=same.subject)
    corrected = _find_corrected(statement, facts)
    if corrected is not None:
        return replace(statement, subject=corrected.subject)
    held = [fact for fact in facts if fact.invalid_from is None]
    scored = [(similarity(statement.text, fact.text), fact) for fact in held]
    near = sorted(
        ((score, fact) for score, fact in scored if score is not None and score >= NEAR),
        key=lambda pair: (-pair[0], pair[1].fact_id),
    )
    for score, fact in near:
        if score >= SAME and agree(statement.text, fact.text):
            return replace(statement, subject=fact.subject, value=fact.value)
    for _, fact in near:
        if contradict(statement.text, fact.text) and not (statement.single and fact.subject == statement.subject):
            return _doubt(statement, f"it may contradict: {fact.text}")
    return statement


def agree(text: str, other: str) -> bool:
    """Tell whether two texts have the same numbers, names and telling words, and both deny or neither.

    An embedding alone would not do: with all-MiniLM-L6-v2 "lives in Berlin" and "works in Berlin" have a cosine of
    0.91, "has two cats" and "has three cats" one of 0.94, "moved to Lisbon" and "moved from Lisbon" one of 0.99.
    """
    return (
        find_numbers(text) == find_numbers(other)
        and is_negated(text) == is_negated(other)
        and _find_names(text) == _find_names(other)
        and _find_groups(text) == _find_groups(other)
    )


def contradict(text: str, other: str) -> bool:
    """Tell whether one of two near texts denies the other, or has another number."""
    if is_negated(text) != is_negated(other):
        return True
    numbers, others = find_numbers(text), find_numbers(other)
    return bool(numbers and others) and numbers != others


def make_similarity(vectors: Mapping[str, Sequence[float]]) -> Similarity:
    """Return the cosine of texts by their vectors, which have length 1; None where a text has none."""

    def compare(text: str, other: str) -> float | None:
        mine, its = vectors.get(text), vectors.get(other)
        return None if mine is None or its is None else sum(a * b for a, b in zip(mine, its, strict=True))

    return compare


def _find_corrected(statement: Statement, facts: Sequence[Fact]) -> Fact | None:
    """Return the fact that a statement corrects, or the correction that a statement said earlier was corrected by."""
    wrong = set(find_content(statement.replaces))
    words = set(find_content(statement.text))
    for fact in sorted(facts, key=lambda fact: fact.valid_from, reverse=True):
        if wrong and wrong <= set(find_content(fact.text)) and fact.valid_from <= statement.said_at:
            return fact
        for one in fact.evidence:
            denied = set(find_content(one.replaces))
            if denied and denied <= words and one.said_at > statement.said_at:
                return fact
    return None


def _find_names(text: str) -> frozenset[str]:
    """Return words with a capital letter inside a sentence."""
    words = text.split()
    return frozenset(word.strip(".,;:!?'\"()").casefold() for word in words[1:] if word[:1].isupper())


def _find_groups(text: str) -> frozenset[int]:
    return frozenset(_APART[word] for word in split_words(text) if word in _APART)


def _doubt(statement: Statement, reason: str) -> Statement:
    evidence = statement.evidence
    if evidence is None:
        return statement
    return replace(statement, evidence=evidence.model_copy(update={"doubt": reason[:200]}))
