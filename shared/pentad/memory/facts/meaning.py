"""Bring new statements together with what is known: the same said again, a correction, a contradiction. Pure.

Words decide first: equal normal forms are equal. Where an embedding says that two texts mean the same, they are one
only if their numbers, names and denials agree too: "has two cats" is near "has three cats" in every embedding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from pentad.domain.memories.facts import Fact
from pentad.memory.facts.normal_forms import find_content, find_numbers, is_negated
from pentad.memory.facts.targets import find_targets
from pentad.memory.facts.timeline import Statement
from pentad.memory.facts.word_groups import find_groups

SAME: Final = 0.86
"""Cosine from which two texts mean the same, where numbers, names and denials agree."""
NEAR: Final = 0.75
"""Cosine from which two texts speak of the same, so that what differs between them is a contradiction."""
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
    """Return a statement with the subject and value of the known fact that it repeats in other words, or with a doubt.

    What says the same in the same words, or corrects what is known, is brought under its subject where the history is
    told (`pentad.memory.facts.timeline`): that does not depend on what was learned first.

    Args:
        statement: as the gate let it through.
        facts: all that is known of the user, history included.
        similarity: the cosine of two texts; None where no embedding is at hand.
    """
    if any(fact.value == statement.value for fact in facts):
        return statement
    if statement.replaces:
        known = [_Known(fact) for fact in facts if fact.valid_from <= statement.said_at]
        targets = [known[place].fact for place in find_targets(statement, known)]
        if len({fact.subject for fact in targets}) > 1:
            return _doubt(statement, f"it may correct several: {' / '.join(fact.text for fact in targets)}")
        if targets:
            return statement
    if _is_denied(statement, facts):
        return statement
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
        and find_groups(text) == find_groups(other)
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


@dataclass(frozen=True)
class _Known:
    """A known fact as a candidate for what a correction is about."""

    fact: Fact

    @property
    def text(self) -> str:
        return self.fact.text

    @property
    def subject(self) -> str:
        return self.fact.subject

    @property
    def is_open(self) -> bool:
        return self.fact.invalid_from is None

    @property
    def since(self) -> datetime:
        return self.fact.valid_from

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(find_content(self.fact.text))


def _is_denied(statement: Statement, facts: Sequence[Fact]) -> bool:
    """Tell whether a correction that was said later, and is known already, says that a statement is wrong."""
    words = set(find_content(statement.text))
    later = (one for fact in facts for one in fact.evidence if one.said_at > statement.said_at and one.replaces)
    return any(denied <= words for denied in map(set, map(find_content, (one.replaces for one in later))) if denied)


def _find_names(text: str) -> frozenset[str]:
    """Return words with a capital letter inside a sentence."""
    words = text.split()
    return frozenset(word.strip(".,;:!?'\"()").casefold() for word in words[1:] if word[:1].isupper())


def _doubt(statement: Statement, reason: str) -> Statement:
    evidence = statement.evidence
    if evidence is None:
        return statement
    return replace(statement, evidence=evidence.model_copy(update={"doubt": reason[:200]}))
