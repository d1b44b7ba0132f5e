"""What every session store does."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import InvalidInput, NotFound, SessionBusy
from pentad.domain.knowledge import Passage, Utterance
from pentad.domain.memories.front import Remembered, RememberedFact
from pentad.domain.messages import Message, ProviderRaw, TextBlock, ThinkingBlock, ToolCallBlock
from pentad.memory.context.window import estimate_context
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.memory.sessions import items as session_items
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session, SessionStore
from tests.contract.memory.aws import BUCKET, local_aws

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Harness:
    """A store, and how a session is made in it (the start of a run does it in the deployment)."""

    store: SessionStore
    create: Callable[[Session], None]
    clock: Clock = field(default_factory=Clock)
    table: Table | None = None
    s3: Any = None


@pytest.fixture(params=["memory", "dynamodb"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    clock = Clock()
    with ExitStack() as stack:
        if request.param == "memory":
            memory = MemorySessions(clock=clock)
            yield Harness(memory, memory.create, clock)
        else:
            table, s3 = stack.enter_context(local_aws())
            store = DynamoSessions(table, S3Objects(s3, BUCKET), clock=clock)
            yield Harness(store, lambda session: table.put(session_items.make_head_item(session)), clock, table, s3)


@pytest.fixture
def dynamo() -> Iterator[Harness]:
    clock = Clock()
    with local_aws() as (table, s3):
        store = DynamoSessions(table, S3Objects(s3, BUCKET), clock=clock)
        yield Harness(store, lambda session: table.put(session_items.make_head_item(session)), clock, table, s3)


def head(session_id: str = "s1", tenant_id: str = "acme", updated_at: datetime = START) -> Session:
    return Session(
        tenant_id=tenant_id,
        session_id=session_id,
        agent="assistant",
        user_id="ada",
        version=0,
        length=0,
        created_at=START,
        updated_at=updated_at,
        expires_at=updated_at + timedelta(days=30),
    )


def says(name: str, text: str = "hello") -> Message:
    return Message(message_id=name, role="user", blocks=(TextBlock(text=text),), created_at=START)


def passage(name: str, text: str = "words") -> Passage:
    return Passage(
        passage_id=name, document="a.md", version="1", title="A", text=text, start=0, end=len(text), score=0.5
    )


def texts(harness: Harness, session_id: str = "s1") -> list[str]:
    return [one.message.text for one in harness.store.read("acme", session_id, 0, 999)]


def test_a_session_that_is_not_there_is_none(harness: Harness) -> None:
    assert harness.store.get("acme", "nobody") is None


def test_a_head_comes_back_as_it_was_made(harness: Harness) -> None:
    harness.create(head())
    assert harness.store.get("acme", "s1") == head()


def test_a_session_that_is_made_again_keeps_what_it_holds(harness: Harness) -> None:
    harness.store.create(head())
    harness.store.append("acme", "s1", [says("m0")], expected_version=0)
    harness.store.create(head())
    stored = harness.store.get("acme", "s1")
    assert stored is not None
    assert (stored.version, stored.length) == (1, 1)


def test_messages_come_back_as_they_were_appended(harness: Harness) -> None:
    harness.create(head())
    reply = Message(
        message_id="m2",
        role="assistant",
        blocks=(
            ThinkingBlock(text="hm", signature="c2ln", provider="anthropic"),
            ToolCallBlock(call_id="c1", tool="calculator", arguments={"expression": "1 + 1", "digits": 1.5}),
        ),
        created_at=START,
        run_id="run_00000000000000000000000001",
        step=1,
        raw=ProviderRaw(provider="anthropic", model="m", content=[{"type": "thinking", "signature": "c2ln"}]),
    )
    harness.store.append("acme", "s1", [says("m1", "grüße 🙂"), reply], expected_version=0)
    stored = harness.store.read("acme", "s1", 0, 1)
    assert [one.message for one in stored] == [says("m1", "grüße 🙂"), reply]
    assert [one.seq for one in stored] == [0, 1]


def test_an_append_moves_version_length_and_tokens(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m1"), says("m2")], expected_version=0)
    after = harness.store.append("acme", "s1", [says("m3")], expected_version=1)
    assert (after.version, after.length) == (2, 3)
    assert after.estimated_tokens == sum(one.estimated_tokens for one in harness.store.read("acme", "s1", 0, 2)) > 0
    assert harness.store.get("acme", "s1") == after


def test_an_append_starts_the_time_to_live_anew(harness: Harness) -> None:
    harness.create(head())
    harness.clock.now = START + timedelta(days=10)
    after = harness.store.append("acme", "s1", [says("m1")], expected_version=0)
    assert after.updated_at == harness.clock.now
    assert after.expires_at == harness.clock.now + timedelta(days=30)


def test_an_append_to_nothing_is_not_found(harness: Harness) -> None:
    with pytest.raises(NotFound):
        harness.store.append("acme", "nobody", [says("m1")], expected_version=0)


def test_a_stale_version_is_busy_and_changes_nothing(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m1", "one")], expected_version=0)
    with pytest.raises(SessionBusy):
        harness.store.append("acme", "s1", [says("m2", "two")], expected_version=0)
    assert texts(harness) == ["one"]


def test_a_repeated_append_changes_nothing_and_returns_the_head(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m0", "zero")], expected_version=0)
    first = harness.store.append("acme", "s1", [says("m1", "one"), says("m2", "two")], expected_version=1)
    again = harness.store.append("acme", "s1", [says("m1", "one"), says("m2", "two")], expected_version=1)
    assert again == first
    assert texts(harness) == ["zero", "one", "two"]


@pytest.mark.parametrize("count", [0, 100])
def test_an_append_of_none_or_too_many_is_refused(harness: Harness, count: int) -> None:
    harness.create(head())
    with pytest.raises(InvalidInput):
        harness.store.append("acme", "s1", [says(f"m{n}") for n in range(count)], expected_version=0)


def test_99_messages_go_in_one_append(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says(f"m{n}", str(n)) for n in range(99)], expected_version=0)
    assert texts(harness) == [str(n) for n in range(99)]


def test_exactly_one_of_many_writers_wins_a_version(harness: Harness) -> None:
    harness.create(head())
    gate = threading.Barrier(8)

    def write(writer: int) -> bool:
        gate.wait(timeout=10)
        try:
            harness.store.append("acme", "s1", [says(f"w{writer}", str(writer))], expected_version=0)
        except SessionBusy:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(8)))
    assert won.count(True) == 1
    assert texts(harness) == [str(won.index(True))]


def test_a_part_of_a_session_can_be_read(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says(f"m{n}", str(n)) for n in range(12)], expected_version=0)
    assert [one.message.text for one in harness.store.read("acme", "s1", 9, 10)] == ["9", "10"]
    assert harness.store.read("acme", "s1", 5, 4) == []


def test_a_tenant_sees_no_session_of_another(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m1")], expected_version=0)
    assert harness.store.get("other", "s1") is None
    assert harness.store.read("other", "s1", 0, 9) == []
    assert harness.store.list_page("other").items == ()


@pytest.mark.parametrize("size", [10, 30_000])
def test_passages_stay_with_their_message_and_the_first_are_kept(harness: Harness, size: int) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m1"), says("m2")], expected_version=0)
    given = [passage(f"p{n}", "x" * size) for n in range(4)]
    before = harness.store.get("acme", "s1")
    more = harness.store.attach_passages("acme", "s1", 1, given)
    assert harness.store.attach_passages("acme", "s1", 1, [passage("late")]) == 0
    stored = harness.store.read("acme", "s1", 0, 1)
    assert (stored[0].passages, stored[1].passages) == ((), tuple(given))
    after = harness.store.get("acme", "s1")
    assert before is not None
    assert after is not None
    assert after.estimated_tokens == before.estimated_tokens + more
    assert after.estimated_tokens == sum(estimate_context(one) for one in stored)
    assert more > size / 10


def test_passages_for_a_message_that_is_not_there_are_not_found(harness: Harness) -> None:
    harness.create(head())
    with pytest.raises(NotFound):
        harness.store.attach_passages("acme", "s1", 0, [passage("p")])


def test_an_epoch_begins_and_later_appends_count_from_there(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says(f"m{n}") for n in range(4)], expected_version=0)
    assert harness.store.begin_epoch("acme", "s1", 2, 7).epoch_first_seq == 2
    after = harness.store.append("acme", "s1", [says("m4")], expected_version=1)
    assert after.epoch_first_seq == 2
    assert after.estimated_tokens == 7 + harness.store.read("acme", "s1", 4, 4)[0].estimated_tokens


def test_an_epoch_never_goes_back(harness: Harness) -> None:
    harness.create(head())
    harness.store.begin_epoch("acme", "s1", 5, 7)
    assert harness.store.begin_epoch("acme", "s1", 3, 9).epoch_first_seq == 5


def test_an_epoch_of_nothing_is_not_found(harness: Harness) -> None:
    with pytest.raises(NotFound):
        harness.store.begin_epoch("acme", "nobody", 0, 0)


def test_sessions_are_listed_by_last_use_page_by_page(harness: Harness) -> None:
    for n in range(5):
        harness.create(head(f"s{n}", updated_at=START + timedelta(minutes=n)))
    harness.clock.now = START + timedelta(hours=1)
    harness.store.append("acme", "s1", [says("m")], expected_version=0)
    first = harness.store.list_page("acme", limit=3)
    second = harness.store.list_page("acme", limit=3, cursor=first.cursor)
    assert [one.session_id for one in (*first.items, *second.items)] == ["s1", "s4", "s3", "s2", "s0"]
    assert second.cursor is None


def test_a_cursor_of_another_tenant_is_refused(harness: Harness) -> None:
    for n in range(3):
        harness.create(head(f"s{n}", updated_at=START + timedelta(minutes=n)))
    cursor = harness.store.list_page("acme", limit=1).cursor
    with pytest.raises(NotFound):
        harness.store.list_page("other", cursor=cursor)


def test_a_message_past_300_kb_of_bytes_is_in_s3_and_comes_back(dynamo: Harness) -> None:
    dynamo.create(head())
    long = "ü" * 160_000
    dynamo.store.append("acme", "s1", [says("m1", long), says("m2", "short")], expected_version=0)
    assert texts(dynamo) == [long, "short"]
    [entry] = dynamo.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert entry["Key"].startswith("spill/acme/s1/m1-")


def test_a_repeated_append_spills_to_the_same_object(dynamo: Harness) -> None:
    dynamo.create(head())
    for _ in range(2):
        dynamo.store.append("acme", "s1", [says("m1", "x" * 400_000)], expected_version=0)
    assert dynamo.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_the_loser_of_a_race_does_not_change_what_the_winner_spilled(dynamo: Harness) -> None:
    dynamo.create(head())
    dynamo.store.append("acme", "s1", [says("m1", "x" * 400_000)], expected_version=0)
    objects = S3Objects(dynamo.s3, BUCKET)
    session_items.spill_messages(objects, "acme", "s1", [says("m1", "y" * 400_000)])
    assert texts(dynamo) == ["x" * 400_000]


def test_every_item_expires_and_has_a_type(dynamo: Harness) -> None:
    dynamo.create(head())
    dynamo.store.append("acme", "s1", [says("m1")], expected_version=0)
    assert dynamo.table is not None
    expiry = int((START + timedelta(days=30)).timestamp())
    found = [(item["type"], item["ttl"]) for item in dynamo.table.iter_items("T#acme#S#s1")]
    assert found == [("message", expiry), ("session", expiry)]


def test_an_expired_message_that_still_stands_does_not_block_a_new_session(dynamo: Harness) -> None:
    dynamo.create(head())
    dynamo.store.append("acme", "s1", [says("m1", "old")], expected_version=0)
    assert dynamo.table is not None
    dynamo.table.delete("T#acme#S#s1", "META")
    dynamo.clock.now = START + timedelta(days=31)
    new = head(updated_at=dynamo.clock.now)
    after, stored = session_items.compute_append(new, [says("m1", "new")], dynamo.clock.now)
    dynamo.table.transact(session_items.append_entries(dynamo.table, new, after, stored))
    assert texts(dynamo) == ["new"]


def test_what_stands_in_front_is_kept_once_and_raises_the_heads_tokens(harness: Harness) -> None:
    store = harness.store
    harness.create(head())
    before = store.append("acme", "s1", [says("m0")], expected_version=0)
    given = Remembered(facts=(RememberedFact(fact_id="f", kind="fact", text="Ü 🙂 <b>", said_at=START),))
    more = store.attach_remembered("acme", "s1", 0, given)
    assert more > 0
    assert store.attach_remembered("acme", "s1", 0, Remembered()) == 0
    assert store.read("acme", "s1", 0, 0)[0].remembered == given
    after = store.get("acme", "s1")
    assert after is not None
    assert after.estimated_tokens == before.estimated_tokens + more
    with pytest.raises(NotFound):
        store.attach_remembered("acme", "s1", 9, given)


def test_that_nothing_stands_in_front_is_kept_too(harness: Harness) -> None:
    store = harness.store
    harness.create(head())
    store.append("acme", "s1", [says("m0")], expected_version=0)
    assert store.read("acme", "s1", 0, 0)[0].remembered is None
    assert store.attach_remembered("acme", "s1", 0, Remembered()) == 0
    assert store.read("acme", "s1", 0, 0)[0].remembered == Remembered()


def test_recalled_turns_are_kept_once_and_raise_the_heads_tokens(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says("m1", "where do I live?")], expected_version=0)
    said = Utterance(session_id="s0", seq=4, speaker="ada", text="I moved to Graz <b>", at=START)
    assert harness.store.attach_recalled("acme", "s1", 0, [said]) > 0
    other = said.model_copy(update={"text": "another"})
    assert harness.store.attach_recalled("acme", "s1", 0, [other]) == 0
    assert harness.store.attach_recalled("acme", "s1", 0, []) == 0
    harness.store.attach_passages("acme", "s1", 0, [passage("p1")])
    [stored], after = harness.store.read("acme", "s1", 0, 0), harness.store.get("acme", "s1")
    assert after is not None
    assert (stored.recalled, [one.passage_id for one in stored.passages]) == ((said,), ["p1"])
    assert after.estimated_tokens == estimate_context(stored)
    with pytest.raises(NotFound):
        harness.store.attach_recalled("acme", "s1", 7, [said])


def test_an_epoch_says_from_where_messages_keep_what_was_given_with_them(harness: Harness) -> None:
    harness.create(head())
    harness.store.append("acme", "s1", [says(f"m{place}") for place in range(6)], expected_version=0)
    assert harness.store.begin_epoch("acme", "s1", 2, 7, bare_before_seq=4).bare_before_seq == 4
    assert harness.store.begin_epoch("acme", "s1", 3, 7).bare_before_seq == 4
    assert harness.store.begin_epoch("acme", "s1", 3, 7, bare_before_seq=2).bare_before_seq == 4
    assert harness.store.begin_epoch("acme", "s1", 3, 7, bare_before_seq=5).bare_before_seq == 5


def test_a_writer_stores_the_factor_of_token_estimates_with_its_messages(harness: Harness) -> None:
    harness.create(head())
    first = harness.store.append("acme", "s1", [says("m1")], expected_version=0)
    assert first.token_permille == 0
    corrected = first.model_copy(update={"token_permille": 1300})
    after = harness.store.append("acme", "s1", [says("m2")], expected_version=1, head=corrected)
    assert after == harness.store.get("acme", "s1")
    assert after.token_permille == 1300
    assert harness.store.append("acme", "s1", [says("m3")], expected_version=2).token_permille == 1300
