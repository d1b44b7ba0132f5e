"""A correction ends what it is about and nothing else, whatever was learned first and whatever a model calls it."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from pentad.domain.memories.facts import MAX_EVIDENCE, Fact
from pentad.memory.facts.changes import apply_statements
from pentad.memory.facts.meaning import align, make_similarity
from pentad.memory.facts.ports import FactBook
from pentad.memory.facts.timeline import Statement, build_facts, to_statements
from tests.unit.memory.facts.test_timeline import START, current, say

NO_VECTORS = make_similarity({})


def correct(text: str, day: int, wrong: str, **more: Any) -> Statement:
    return say(text, day, replaces=wrong, kind="correction", **more)


def learn(said: Sequence[Statement]) -> list[Fact]:
    """Learn one statement after the other as the pipeline does: aligned, applied to the book, stored."""
    book = FactBook()
    for one in said:
        change = apply_statements("acme", "sam", book, [align(one, book.facts, NO_VECTORS)], START).change
        facts = {fact.fact_id: fact for fact in book.facts if fact.fact_id not in change.remove}
        book = FactBook(facts=tuple((facts | {fact.fact_id: fact for fact in change.put}).values()))
    return sorted(book.facts, key=lambda fact: fact.fact_id)


CONVERSATIONS = {
    "a chain under three subjects": (
        [
            say("The user lives in Bonn.", 1, subject="home"),
            correct("The user lives in Kiel.", 5, "Bonn", subject="residence"),
            correct("The user lives in Ulm.", 9, "Kiel", subject="city"),
        ],
        ["The user lives in Ulm."],
    ),
    "a home, not the job of the same city": (
        [
            say("The user lives in Berlin.", 1, subject="home"),
            say("The user works in Berlin.", 2, subject="job"),
            correct("The user lives in Kiel.", 5, "Berlin", subject="home"),
        ],
        ["The user lives in Kiel.", "The user works in Berlin."],
    ),
    "a home under a subject of its own, not the job": (
        [
            say("The user lives in Berlin.", 1, subject="home"),
            say("The user works in Berlin.", 2, subject="job"),
            correct("The user lives in Kiel.", 5, "Berlin", subject="residence"),
        ],
        ["The user lives in Kiel.", "The user works in Berlin."],
    ),
    "a son, not the dog of the same name": (
        [
            say("The user's son is called Max.", 1, subject="family", single=False),
            say("The user's dog is called Max.", 2, subject="pets", single=False),
            correct("The user's son is called Maximilian.", 5, "Max", subject="son", single=False),
        ],
        ["The user's dog is called Max.", "The user's son is called Maximilian."],
    ),
    "a cat, not the dog under the same subject": (
        [
            say("The user's dog is called Max.", 1, subject="pets", single=False),
            say("The user's cat is called Max.", 2, subject="pets", single=False),
            correct("The user's cat is named Moritz.", 5, "Max", subject="pets", single=False),
        ],
        ["The user's cat is named Moritz.", "The user's dog is called Max."],
    ),
    "both ways of saying the same wrong thing": (
        [
            say("The user lives in Berlin.", 1, subject="home", single=False),
            say("The user's home is in Berlin.", 2, subject="home", single=False),
            correct("The user lives in Kiel.", 5, "Berlin", subject="home", single=False),
        ],
        ["The user lives in Kiel."],
    ),
    "what was corrected and is said again holds again": (
        [
            say("The user eats meat.", 1, subject="food", single=False),
            correct("The user is vegetarian.", 2, "eats meat", subject="diet", single=False),
            say("The user eats meat.", 3, subject="food", single=False),
        ],
        ["The user eats meat."],
    ),
    "a correction that is repeated": (
        [
            say("The user has two cats.", 1, subject="pets", single=False),
            correct("The user has three cats.", 2, "two cats", subject="pets", single=False),
            say("The user has two cats.", 3, subject="cats", single=False),
            correct("The user has three cats.", 4, "two cats", subject="pets", single=False),
        ],
        ["The user has three cats."],
    ),
    "languages that are spoken beside the one that is answered in": (
        [
            say("The user speaks German.", 1, subject="language", single=False),
            say("The user speaks French.", 2, subject="language", single=False),
            say("The user wants answers in English.", 3, subject="language", single=True),
            say("The user wants answers in Dutch.", 4, subject="language", single=True),
        ],
        ["The user speaks French.", "The user speaks German.", "The user wants answers in Dutch."],
    ),
    "a home that was not called single at first": (
        [
            say("The user lives in Bonn.", 1, single=False),
            say("The user lives in Kiel.", 2, single=True),
        ],
        ["The user lives in Kiel."],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_any_order_of_learning_ends_in_the_same_state(name: str) -> None:
    said, expected = CONVERSATIONS[name]
    states = [learn(order) for order in permutations(said)]
    assert current(states[0]) == expected
    assert all(state == states[0] for state in states)
    assert learn([*said, *said]) == states[0]


@pytest.mark.parametrize("repeats", [0, MAX_EVIDENCE - 2, MAX_EVIDENCE - 1, 3 * MAX_EVIDENCE])
def test_a_corrected_fact_does_not_come_back_however_often_the_right_one_is_said(repeats: int) -> None:
    said = [
        say("The user's cat is named Mia.", 1, subject="pets", single=False),
        say("The user's cat is named Maya.", 2, subject="pets", single=False),
        correct("The user's cat is named Maya.", 3, "Mia", subject="pets", single=False),
        *(say("The user's cat is named Maya.", 4 + day, subject="pets", single=False) for day in range(repeats)),
    ]
    facts = learn(said)
    assert current(facts) == ["The user's cat is named Maya."]
    assert max(len(fact.evidence) for fact in facts) <= MAX_EVIDENCE
    assert current(learn([*said[1:], said[0]])) == ["The user's cat is named Maya."]


def test_what_fits_several_subjects_equally_is_doubted_and_ends_nothing() -> None:
    facts = learn(
        [
            say("The user lives in Berlin.", 1, subject="home"),
            say("The user works in Berlin.", 2, subject="job"),
            correct("The user is in Kiel.", 5, "Berlin", subject="place"),
        ]
    )
    doubts = {fact.text: fact.doubt for fact in facts}
    assert doubts["The user is in Kiel."] == (
        "it may correct several: The user works in Berlin. / The user lives in Berlin."
    )
    assert all(fact.invalid_from is None for fact in facts)


def test_a_correction_stays_where_it_was_when_what_it_corrected_is_gone() -> None:
    facts = learn(
        [
            say("The user lives in Bonn.", 1, subject="home"),
            correct("The user lives in Kiel.", 5, "Bonn", subject="residence"),
        ]
    )
    left = [fact for fact in facts if "Kiel" in fact.text]
    again = build_facts("acme", "sam", to_statements(left))
    assert [(fact.fact_id, fact.subject) for fact in again] == [(fact.fact_id, "home") for fact in left]
    moved = build_facts("acme", "sam", [*to_statements(left), say("The user lives in Ulm.", 9, subject="home")])
    assert current(moved) == ["The user lives in Ulm."]


def test_the_first_place_without_a_doubt_is_kept() -> None:
    said = [say("The user lives in Bonn.", 1, doubt="unclear"), say("The user lives in Bonn.", 2)]
    said += [say("The user lives in Bonn.", day, doubt="unclear") for day in range(3, 20)]
    [fact] = learn(said)
    assert fact.doubt is None
    assert len(fact.evidence) == MAX_EVIDENCE
