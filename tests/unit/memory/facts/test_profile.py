"""Which facts stand in front of a session, and in which order."""

from datetime import timedelta
from typing import Any

from pentad.domain.memories.facts import Fact, FactEvidence
from pentad.memory.facts.profile import choose_profile
from tests.unit.memory.facts.talk import START


def fact(number: int, kind: str = "fact", said: int = 1, **changes: Any) -> Fact:
    at = START + timedelta(minutes=number)
    places = [
        FactEvidence(session_id=f"s-{n}", seq=0, start=0, end=2, quote="hi", said_at=at, learned_at=at)
        for n in range(said)
    ]
    fields: dict[str, Any] = {
        "tenant": "acme", "user": "sam", "fact_id": f"fact_{number}", "kind": kind, "text": f"Text number {number}.",
        "subject": "s", "value": str(number), "evidence": tuple(places), "valid_from": at, "learned_at": at,
        "source": "user", "confidence": 1,
    }  # fmt: skip
    return Fact(**fields | changes)


def list_ids(*facts: Fact, tokens: int = 1000) -> tuple[list[str], int]:
    given, left_out = choose_profile(facts, tokens, START + timedelta(days=1))
    return [one.fact_id for one in given], left_out


def test_what_holds_is_given_the_oldest_first() -> None:
    assert list_ids(fact(3), fact(1), fact(2)) == (["fact_1", "fact_2", "fact_3"], 0)


def test_history_expired_and_doubtful_facts_are_not_given() -> None:
    ended, expired = START + timedelta(hours=1), START + timedelta(hours=2)
    assert list_ids(fact(1, invalid_from=ended), fact(2, expires_at=expired), fact(3, doubt="?"), fact(4)) == (
        ["fact_4"],
        0,
    )


def test_of_too_many_those_that_concern_every_answer_stay_then_the_confirmed_then_the_newest() -> None:
    many = [fact(number) for number in range(20)]
    given, left_out = list_ids(*many, fact(30, "preference"), fact(31, said=3), tokens=70)
    assert left_out == 22 - len(given)
    assert {"fact_30", "fact_31", "fact_19"} <= set(given)
    assert "fact_0" not in given


def test_without_room_nothing_is_given() -> None:
    assert list_ids(fact(1), tokens=0) == ([], 1)
