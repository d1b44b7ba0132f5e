"""What means the same is one fact; what an embedding takes for the same and is not stays two."""

import pytest

from pentad.memory.facts.meaning import NEAR, SAME, agree, align, contradict, make_similarity
from pentad.memory.facts.normal_forms import normalize_value
from pentad.memory.facts.timeline import Statement, build_facts
from tests.unit.memory.facts.test_timeline import say


def near(text: str, other: str, score: float = 0.95) -> tuple[Statement, Statement]:
    """Return a statement as it is aligned with a known one, and the known one; the embedding calls them so near."""
    known = say(other, 1, subject="known", single=False, value=normalize_value(other))
    new = say(text, 2, subject="new", single=False, value=normalize_value(text))
    vectors = {text: (1.0, 0.0), other: (score, (1 - score**2) ** 0.5)}
    return align(new, build_facts("acme", "sam", [known]), make_similarity(vectors)), known


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The user lives in Berlin.", "The user's home is in Berlin."),
        ("The user owns a dog called Rex.", "The user has a dog named Rex."),
        ("The user is a nurse by profession.", "The user works as a nurse."),
        ("The user is allergic to peanuts.", "The user has an allergy to peanuts."),
        ("The user has been studying Portuguese.", "The user is learning Portuguese."),
        ("The user can speak Dutch.", "The user speaks Dutch."),
    ],
)
def test_the_same_in_other_words_is_one_fact(text: str, other: str) -> None:
    aligned, known = near(text, other)
    assert (aligned.subject, aligned.value) == (known.subject, known.value)
    apart, _ = near(text, other, score=SAME - 0.01)
    assert apart.value == normalize_value(text)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The user works in Berlin.", "The user lives in Berlin."),
        ("The user has three cats.", "The user has two cats."),
        ("The user moved from Lisbon.", "The user moved to Lisbon."),
        ("The user's wife works as a nurse.", "The user works as a nurse."),
        ("The user's father lives in Graz.", "The user's mother lives in Graz."),
        ("The user sold a Skoda.", "The user drives a Skoda."),
        ("The user visited Rome in June.", "The user visited Rome in May."),
        ("The user has a dog named Bo.", "The user has a dog named Rex."),
        ("The user is paid 4000 euros.", "The user is paid 3000 euros."),
        ("The user does not like hiking.", "The user likes hiking."),
    ],
)
def test_what_only_sounds_the_same_stays_apart(text: str, other: str) -> None:
    aligned, known = near(text, other, score=0.99)
    assert not agree(text, other)
    assert aligned.value != known.value


def test_a_near_text_that_denies_or_has_another_number_is_doubted() -> None:
    doubted, _ = near("The user is paid 4000 euros.", "The user is paid 3000 euros.", score=NEAR)
    assert doubted.doubt == "it may contradict: The user is paid 3000 euros."
    assert contradict("The user does not like hiking.", "The user likes hiking.")
    fine, _ = near("The user is paid 4000 euros.", "The user is paid 3000 euros.", score=NEAR - 0.01)
    assert fine.doubt is None


def test_without_vectors_only_equal_words_meet() -> None:
    known = say("The user lives in Bonn.", 1, subject="home")
    facts = build_facts("acme", "sam", [known])
    none = make_similarity({})
    same = align(say("the user LIVES in bonn", 2, subject="other"), facts, none)
    [fact] = build_facts("acme", "sam", [known, same])
    assert (fact.subject, len(fact.evidence)) == ("home", 2)
    other = align(say("The user resides in Bonn.", 2, subject="other"), facts, none)
    assert other.subject == "other"
