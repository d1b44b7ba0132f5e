"""What every store of facts does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain import keys
from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.memories.facts import Fact, FactEvidence, ForgottenFact, GateVerdict, LearnedRange
from pentad.memory.facts.adapters.facts_dynamodb import DynamoFacts
from pentad.memory.facts.adapters.facts_memory import MemoryFacts
from pentad.memory.facts.ports import MAX_CHANGES, FactBook, FactChange, FactStore
from tests.contract.memory.aws import local_aws

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def facts(request: pytest.FixtureRequest) -> Iterator[FactStore]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryFacts()
        else:
            yield DynamoFacts(stack.enter_context(local_aws())[0])


def fact(fact_id: str = "fact_1", **changes: Any) -> Fact:
    said = FactEvidence(
        session_id="s-1", seq=4, start=0, end=5, quote="I'm ö", said_at=START, learned_at=START, replaces="ü"
    )
    fields: dict[str, Any] = {
        "tenant": "acme",
        "user": "sam@example.com",
        "fact_id": fact_id,
        "kind": "fact",
        "text": "The user is ö 🙂 <b>",
        "subject": "name",
        "value": "ö",
        "single": True,
        "evidence": (said,),
        "valid_from": START,
        "invalid_from": START + timedelta(days=1),
        "learned_at": START,
        "source": "user",
        "confidence": 0.75,
        "expires_at": START + timedelta(days=9),
        "superseded_by": "fact_2",
        "doubt": "why",
        "recipe": "1",
    }
    return Fact(**fields | changes)


def learned(first: int = 0, last: int = 9, session: str = "s-1") -> LearnedRange:
    verdicts = (GateVerdict(outcome="refused", reason="a question", text="Who?", seq=3),)
    return LearnedRange(
        session_id=session,
        first_seq=first,
        last_seq=last,
        recipe="1",
        learned_at=START,
        verdicts=verdicts,
        notes=("the embedder did not answer",),
    )


OWNER = ("acme", "sam@example.com")


def test_a_user_of_whom_nothing_is_remembered_has_an_empty_book(facts: FactStore) -> None:
    assert facts.read(*OWNER) == FactBook()
    assert facts.find_learned(*OWNER, "s-1", 0, 9, "1") is None
    assert facts.list_learned(*OWNER).items == ()


def test_what_was_written_comes_back_whole(facts: FactStore) -> None:
    forgotten = ForgottenFact(fact_id="fact_0", places=(("s-1", 2, 0, 9),), forgotten_at=START)
    change = FactChange(put=(fact(), fact("fact_2")), forget=(forgotten,), learned=learned(), left_out=3)
    assert facts.write(*OWNER, change, expected_version=0)
    assert facts.read(*OWNER) == FactBook(version=1, facts=(fact(), fact("fact_2")), forgotten=(forgotten,), left_out=3)
    assert facts.has_fact(*OWNER, "fact_2")
    assert not facts.has_fact(*OWNER, "fact_9")
    assert not facts.has_fact("acme", "eve", "fact_2")
    assert facts.find_learned(*OWNER, "s-1", 0, 9, "1") == learned()
    assert facts.find_learned(*OWNER, "s-1", 0, 9, "2") is None


def test_a_change_replaces_removes_and_forgets(facts: FactStore) -> None:
    assert facts.write(*OWNER, FactChange(put=(fact(), fact("fact_2"), fact("fact_3"))), expected_version=0)
    gone = ForgottenFact(fact_id="fact_2", places=(), forgotten_at=START)
    second = FactChange(put=(fact(text="New."),), remove=("fact_3", "fact_9"), forget=(gone,), left_out=1)
    assert facts.write(*OWNER, second, expected_version=1)
    assert facts.read(*OWNER) == FactBook(version=2, facts=(fact(text="New."),), forgotten=(gone,), left_out=1)
    assert facts.write(*OWNER, FactChange(drop_forgotten=("fact_2",)), expected_version=2)
    assert facts.read(*OWNER).forgotten == ()


def test_of_many_writers_with_one_version_exactly_one_succeeds(facts: FactStore) -> None:
    def write(number: int) -> bool:
        return facts.write(*OWNER, FactChange(put=(fact(f"fact_{number}"),)), expected_version=0)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [False] * 7 + [True]
    assert len(facts.read(*OWNER).facts) == 1


def test_a_writer_that_has_read_an_older_book_changes_nothing(facts: FactStore) -> None:
    assert facts.write(*OWNER, FactChange(put=(fact(),)), expected_version=0)
    assert not facts.write(*OWNER, FactChange(remove=("fact_1",), learned=learned()), expected_version=0)
    assert not facts.write(*OWNER, FactChange(remove=("fact_1",)), expected_version=7)
    assert facts.read(*OWNER) == FactBook(version=1, facts=(fact(),))
    assert facts.find_learned(*OWNER, "s-1", 0, 9, "1") is None


def test_users_and_tenants_see_nothing_of_each_other(facts: FactStore) -> None:
    assert facts.write(*OWNER, FactChange(put=(fact(),), learned=learned()), expected_version=0)
    for other in (("acme", "sam@example.co"), ("acme", "sam@example.com2"), ("other", "sam@example.com")):
        assert facts.read(*other) == FactBook()
        assert facts.list_learned(*other).items == ()
    with pytest.raises(InvalidInput, match="another user"):
        facts.write("acme", "eve", FactChange(put=(fact(),)), expected_version=0)
    assert facts.read(*OWNER).facts == (fact(),)


def test_a_change_of_the_most_items_is_written_and_a_larger_one_is_refused(facts: FactStore) -> None:
    most = FactChange(put=tuple(fact(f"fact_{number:03d}") for number in range(MAX_CHANGES)))
    assert facts.write(*OWNER, most, expected_version=0)
    assert len(facts.read(*OWNER).facts) == MAX_CHANGES
    with pytest.raises(InvalidInput, match=str(MAX_CHANGES)):
        facts.write(*OWNER, most.model_copy(update={"remove": ("x",)}), expected_version=1)


def test_verdicts_are_listed_by_session_and_place_in_pages(facts: FactStore) -> None:
    ranges = [learned(0, 9), learned(10, 19), learned(0, 3, "s-2")]
    for version, one in enumerate(reversed(ranges)):
        assert facts.write(*OWNER, FactChange(learned=one), expected_version=version)
    first = facts.list_learned(*OWNER, limit=2)
    assert list(first.items) == ranges[:2]
    second = facts.list_learned(*OWNER, limit=2, cursor=first.cursor)
    assert list(second.items) == ranges[2:]
    assert second.cursor is None
    with pytest.raises(NotFound):
        facts.list_learned("acme", "eve", cursor=first.cursor)


def test_facts_go_after_the_days_that_the_deployment_says_from_when_they_were_last_told() -> None:
    with local_aws() as (state, _):
        store = DynamoFacts(state, facts_days=10, decisions_days=3)
        later = fact().evidence[0].model_copy(update={"learned_at": START + timedelta(days=4)})
        kept = (
            fact("once", expires_at=None),
            fact("again", expires_at=None, evidence=(*fact().evidence, later)),
            fact("edited", expires_at=None, edited_at=START + timedelta(days=6)),
            fact("short", expires_at=START - timedelta(days=85)),
        )
        assert store.write(*OWNER, FactChange(put=kept, learned=learned()), expected_version=0)
        items = {str(item["sk"]): item for item in state.iter_items(keys.user_pk(*OWNER))}
        days = {
            name: (int(item["ttl"]) - START.timestamp()) / 86_400 for name, item in items.items() if item.get("ttl")
        }
        assert {name.removeprefix("FACT#"): one for name, one in days.items() if "FACT#" in name} == {
            "once": 10,
            "again": 14,
            "edited": 16,
            "short": 5,
        }
        [decided] = [one for name, one in days.items() if name.startswith("LEARNED#")]
        assert decided == (learned().learned_at - START).total_seconds() / 86_400 + 3
