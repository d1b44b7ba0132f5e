"""Conformance of stores of feedback."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.ids import derive_id
from pentad.memory.corrections.adapters.corrections_dynamodb import DynamoCorrections
from pentad.observability.feedback.adapters.feedback_dynamodb import DynamoFeedback
from pentad.observability.feedback.adapters.feedback_memory import MemoryFeedback
from pentad.observability.feedback.ports import KEY_DAYS, Feedback, FeedbackKey, FeedbackStore, GivenCorrection
from tests.moto_clients import table

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TENANT, RUN, GONE = "acme", "run_" + "1" * 26, "run_" + "9" * 26


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Iterator[FeedbackStore]:
    if request.param == "memory":
        yield MemoryFeedback(now=clock, has_run=lambda _, run_id: run_id != GONE)
        return
    with mock_aws():
        state = Table(table("state", index=True), "state")
        for number in range(10):
            for tenant in (TENANT, "other"):
                if (run_id := RUN.replace("1", str(number))) != GONE:
                    state.put({"pk": keys.run_pk(tenant, run_id), "sk": keys.META, "type": "run"})
        yield DynamoFeedback(state, now=clock)


def make(by: str = "ann", number: int = 0, **values: Any) -> Feedback:
    run_id = values.pop("run_id", RUN)
    at = START + timedelta(seconds=number)
    return Feedback(
        tenant_id=TENANT,
        run_id=run_id,
        feedback_id=derive_id("fbk", run_id, by),
        by=by,
        user_id=by,
        agent="assistant",
        session_id="s1",
        run_user_id="ann",
        score=0.1,
        confidence=0.8125,
        given_at=at,
        changed_at=at,
    ).model_copy(update=values)


def test_what_is_saved_is_found_and_listed(store: FeedbackStore) -> None:
    given = make(correction="It is 5, \U0001f600.", comment="'; DROP TABLE")
    assert store.save(given)
    assert store.find(TENANT, RUN, given.feedback_id) == given
    assert store.list_for_run(TENANT, RUN) == [given]
    assert store.list_page(TENANT).items == (given,)


def test_a_change_takes_the_version_before(store: FeedbackStore) -> None:
    first = make()
    second = first.model_copy(update={"version": 2, "score": 1.0})
    assert not store.save(second)
    assert (store.save(first), store.save(first), store.save(second), store.save(second)) == (True, False, True, False)
    assert store.list_page(TENANT).items == (second,)


def test_a_known_key_stores_nothing_until_it_is_old(store: FeedbackStore, clock: Clock) -> None:
    given = make()
    key = FeedbackKey(key_hash="k", request_hash="r", feedback_id=given.feedback_id)
    assert store.save(given, key)
    assert store.find_key(TENANT, RUN, "k") == key
    changed = given.model_copy(update={"version": 2, "score": 1.0})
    assert not store.save(changed, key)
    store.note_key(TENANT, RUN, key.model_copy(update={"request_hash": "other"}))
    assert store.find_key(TENANT, RUN, "k") == key
    assert store.find(TENANT, RUN, given.feedback_id) == given
    clock.time += timedelta(days=KEY_DAYS, seconds=1)
    assert store.find_key(TENANT, RUN, "k") is None
    assert store.save(changed, key)
    assert store.find_key(TENANT, RUN, "k") == key


def test_a_key_of_another_run_or_tenant_is_not_known(store: FeedbackStore) -> None:
    store.note_key(TENANT, RUN, FeedbackKey(key_hash="k", request_hash="r", feedback_id="f"))
    assert store.find_key("other", RUN, "k") is None
    assert store.find_key(TENANT, RUN.replace("1", "2"), "k") is None


def test_what_is_said_of_a_run_that_is_not_there_is_not_kept(store: FeedbackStore) -> None:
    with pytest.raises(NotFound):
        store.save(make(run_id=GONE))
    assert store.list_page(TENANT).items == ()


def test_it_is_paged_newest_first_and_tenants_are_apart(store: FeedbackStore) -> None:
    made = [make(number=number, run_id=RUN.replace("1", str(number))) for number in range(5)]
    for one in made:
        assert store.save(one)
    assert store.save(make(tenant_id="other"))
    first = store.list_page(TENANT, limit=3)
    second = store.list_page(TENANT, limit=3, cursor=first.cursor)
    assert list(first.items + second.items) == made[::-1]
    assert second.cursor is None
    with pytest.raises(NotFound):
        store.list_page("other", cursor=first.cursor)


def test_what_several_people_say_of_a_run_is_in_order(store: FeedbackStore) -> None:
    made = [make(by, number) for number, by in enumerate(("cid", "ann", "bob"))]
    for one in reversed(made):
        store.save(one)
    assert store.list_for_run(TENANT, RUN) == made
    assert store.list_for_run("other", RUN) == []


def test_a_correction_waits_for_memory_in_its_newest_version_until_it_is_removed(clock: Clock) -> None:
    with mock_aws():
        state = Table(table("state", index=True), "state")
        state.put({"pk": keys.run_pk(TENANT, RUN), "sk": keys.META, "type": "run"})
        store, waiting = DynamoFeedback(state, now=clock), DynamoCorrections(state)
        first = make(correction="It is 5.")
        one = correct(first)
        assert store.save(first, None, one)
        assert waiting.find(TENANT, "ann", first.feedback_id) == one
        assert not store.save(first, None, one.model_copy(update={"text": "never stored"}))
        second = first.model_copy(update={"version": 2, "correction": "It is 6."})
        two = correct(second)
        assert store.save(second, None, two)
        waiting.remove(one)
        assert waiting.find(TENANT, "ann", first.feedback_id) == two
        waiting.remove(two)
        waiting.remove(two)
        assert waiting.find(TENANT, "ann", first.feedback_id) is None
        assert waiting.find("other", "ann", first.feedback_id) is None


def correct(feedback: Feedback) -> GivenCorrection:
    return GivenCorrection(
        tenant_id=feedback.tenant_id,
        user_id=feedback.by,
        feedback_id=feedback.feedback_id,
        version=feedback.version,
        run_id=feedback.run_id,
        agent=feedback.agent,
        session_id=feedback.session_id,
        answer="It is 4.",
        answered_at=START,
        text=feedback.correction or "",
        given_at=START,
    )
