"""What was said becomes facts with a history, in whatever order it was learned."""

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from pentad.domain.memories.facts import MAX_EVIDENCE, Fact, FactEvidence
from pentad.memory.facts.normal_forms import normalize_value
from pentad.memory.facts.timeline import Statement, build_facts, to_statements

START = datetime(2026, 11, 1, tzinfo=UTC)


def say(text: str, day: int, *, doubt: str | None = None, replaces: str = "", **more: Any) -> Statement:
    at = START + timedelta(days=day)
    said = FactEvidence(
        session_id=f"s-{day}",
        seq=0,
        start=0,
        end=9,
        quote=text,
        said_at=at,
        learned_at=START,
        replaces=replaces,
        doubt=doubt,
    )
    fields: dict[str, Any] = {
        "kind": "fact",
        "text": text,
        "subject": "home",
        "value": normalize_value(text),
        "single": True,
        "said_at": at,
        "learned_at": START,
        "source": "user",
        "confidence": 0.8,
        "evidence": said,
    }
    return Statement(**fields | more)


def learn(*said: Statement) -> list[Fact]:
    """Learn one statement after the other, as runs do: each time from what is stored."""
    facts: list[Fact] = []
    for one in said:
        facts = build_facts("acme", "sam", [*to_statements(facts), one])
    return facts


def current(facts: list[Fact], day: int = 99) -> list[str]:
    return sorted(fact.text for fact in facts if fact.is_current(START + timedelta(days=day)))


def test_a_later_value_supersedes_and_the_earlier_one_stays_as_history() -> None:
    facts = learn(say("The user lives in Bonn.", 1), say("The user lives in Kiel.", 5))
    assert current(facts) == ["The user lives in Kiel."]
    assert current(facts, 3) == ["The user lives in Bonn."]
    old, new = sorted(facts, key=lambda fact: fact.valid_from)
    assert (old.superseded_by, old.invalid_from) == (new.fact_id, new.valid_from)
    assert (new.supersedes, new.invalid_from) == (old.fact_id, None)


def test_any_order_of_learning_ends_in_the_same_state() -> None:
    said = [
        say("The user lives in Bonn.", 1),
        say("The user lives in Kiel.", 5),
        say("The user lives in Bonn.", 7),
        say("The user lives in Bonn.", 8),
        say("The user lives in Ulm.", 9, replaces="Bonn", kind="correction"),
    ]
    states = [learn(*order) for order in permutations(said)]
    assert all(state == states[0] for state in states)
    assert current(states[0]) == ["The user lives in Ulm."]
    assert len(states[0]) == 4


def test_a_statement_that_is_learned_twice_changes_nothing() -> None:
    said = [say("The user lives in Bonn.", 1), say("The user lives in Kiel.", 5, kind="correction", replaces="Bonn")]
    assert learn(*said, *said, said[0]) == learn(*said)


@pytest.mark.parametrize("seed", range(20))
def test_many_subjects_in_any_order_with_repeats_end_in_the_same_state(seed: int) -> None:
    chance = random.Random(seed)
    said = [
        say(
            f"The user {chance.choice(['likes', 'does not like'])} {chance.choice(['tea', 'rye', 'fish'])}.",
            day,
            subject=chance.choice(["food", "drink"]),
            single=False,
            replaces=chance.choice(["", "", "tea"]),
            doubt=chance.choice([None, None, "unclear"]),
        )
        for day in range(12)
    ]
    state = learn(*said)
    shuffled = said + chance.sample(said, 4)
    chance.shuffle(shuffled)
    assert learn(*shuffled) == state


def test_subjects_with_several_values_keep_them_and_a_correction_ends_the_one_it_names() -> None:
    pets = [say("The user has a dog named Bo.", 1), say("The user has a cat named Mia.", 2)]
    pets = [Statement(**{**vars(one), "single": False, "subject": "pets"}) for one in pets]
    fixed = say("The user's cat is named Maya.", 3, subject="pets", single=False, replaces="Mia", kind="correction")
    assert current(learn(*pets, fixed)) == ["The user has a dog named Bo.", "The user's cat is named Maya."]


def test_a_denial_ends_what_it_denies() -> None:
    facts = learn(
        say("The user eats meat.", 1, subject="food", single=False),
        say("The user does not eat meat.", 2, subject="food", single=False),
    )
    assert current(facts) == ["The user does not eat meat."]


def test_a_doubtful_statement_supersedes_nothing_until_it_is_said_without_a_doubt() -> None:
    said = [say("The user lives in Bonn.", 1), say("The user lives in Kiel.", 2, doubt="the assistant said so")]
    facts = learn(*said)
    assert current(facts) == ["The user lives in Bonn.", "The user lives in Kiel."]
    assert [fact.doubt for fact in facts if "Kiel" in fact.text] == ["the assistant said so"]
    firm = learn(*said, say("The user lives in Kiel.", 3))
    assert current(firm) == ["The user lives in Kiel."]
    assert [fact.doubt for fact in firm if "Kiel" in fact.text] == [None]


def test_evidence_is_bounded_and_keeps_its_first_and_newest_places() -> None:
    [fact] = learn(*(say("The user lives in Bonn.", day) for day in range(30)))
    assert len(fact.evidence) == MAX_EVIDENCE
    assert fact.evidence[0].session_id == "s-0"
    assert fact.evidence[-1].session_id == "s-29"


def test_an_edit_stands_in_the_place_of_what_it_edits() -> None:
    said = say("The user has a dog.", 1, subject="pets", single=False)
    at = START + timedelta(days=4)
    edit = Statement(
        **{
            **vars(say("The user has a puppy.", 4, subject="pets", single=False)),
            "evidence": None,
            "learned_at": at,
            "said_at": at,
            "source": "edit",
            "replaced_value": said.value,
        }
    )
    facts = learn(said, edit)
    assert current(facts) == ["The user has a puppy."]
    assert learn(edit, said) == facts
    again = learn(said, edit, say("The user has a puppy.", 6, subject="pets", single=False))
    assert [(fact.source, fact.edited_at, len(fact.evidence)) for fact in again if fact.invalid_from is None] == [
        ("edit", at, 1)
    ]
