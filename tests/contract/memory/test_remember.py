"""A worker that is killed after any of its writes leaves nothing lost, doubled, or claimed that is not stored.

The real steps and adapters over DynamoDB's API, and a kill that is one: after it the process says nothing to anybody,
so its claim stays until it ends, and the queue delivers the event again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.domain.errors import StoreUnavailable
from pentad.domain.messages import Message, TextBlock
from pentad.memory.facts.adapters.facts_dynamodb import DynamoFacts
from pentad.memory.facts.learn import LearnFacts
from pentad.memory.objects.adapters.objects_memory import MemoryObjects
from pentad.memory.remember import remember
from pentad.memory.remember.adapters.progress_dynamodb import DynamoProgress
from pentad.memory.remember.remember import REMEMBER_SECONDS, EndedRun, Remember
from pentad.memory.sessions.adapters.sessions_dynamodb import DynamoSessions
from pentad.memory.sessions.ports import Session
from pentad.memory.summaries.adapters.summaries_dynamodb import DynamoSummaries
from pentad.memory.summaries.summarise import Summarise
from pentad.memory.turns import segments as turn_segments
from pentad.memory.turns.adapters.segments_dynamodb import DynamoSegments
from pentad.memory.turns.ports import Owner
from pentad.memory.turns.said import Said
from pentad.memory.turns.steps import KeepVectors, KeepWords
from pentad.observability.adapters.null import NullTelemetry
from tests.contract.memory.aws import local_aws
from tests.contract.memory.test_progress import Clock
from tests.moto_clients import client
from tests.unit.memory.facts.talk import Simulated
from tests.unit.memory.fakes import RUN, START, WordEmbedder

ENDED = EndedRun(tenant_id="acme", session_id="s1", run_id=RUN)
SAID = (
    "My name is Priya and I live in Graz.",
    "Nice to meet you.",
    "I have two cats, Mia and Leo.",
    "How lovely.",
    "I work at the harbour of Bonn.",
    "Understood.",
    "I am allergic to peanuts.",
    "I will keep that in mind.",
)
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Kill:
    """Ends the process after so many writes; then nothing of it reaches a store any more."""

    after: int
    writes: int = 0

    @contextmanager
    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        dynamodb = client("dynamodb")
        call = dynamodb._make_api_call

        def make_api_call(operation: str, parameters: Any) -> Any:
            if self.writes > self.after:
                raise Killed
            answer = call(operation, parameters)
            if operation in _WRITES:
                self.writes += 1
                if self.writes > self.after:
                    raise Killed
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(dynamodb, "_make_api_call", make_api_call)
            yield


@dataclass
class World:
    """A session of eight messages in a table, and the pipeline of a fresh process over it."""

    table: Table
    user_id: str | None
    clock: Clock = field(default_factory=lambda: Clock(START))
    model: Simulated = field(default_factory=Simulated)
    embedder: WordEmbedder = field(default_factory=WordEmbedder)

    def __post_init__(self) -> None:
        self.sessions = DynamoSessions(self.table, MemoryObjects(), clock=self.clock)
        ends = START + timedelta(days=30)
        head = {"created_at": START, "updated_at": START, "expires_at": ends, "version": 0, "length": 0}
        self.sessions.create(
            Session(tenant_id="acme", session_id="s1", agent="assistant", user_id=self.user_id, **head)
        )
        for text in SAID:
            self.say(text)

    def say(self, text: str) -> None:
        head = self.sessions.get("acme", "s1")
        assert head is not None
        user = head.length % 2 == 0
        said = Message(
            message_id=f"m{head.length}",
            role="user" if user else "assistant",
            blocks=(TextBlock(text=text),),
            created_at=START + timedelta(minutes=head.length),
            run_id=RUN,
            step=0 if user else 1,
        )
        self.sessions.append("acme", "s1", [said], expected_version=head.version)

    def run(self) -> None:
        said, null = Said(DynamoSegments(self.table), sleep=lambda _: None), NullTelemetry()
        facts = DynamoFacts(self.table)
        pipeline = Remember(
            sessions=self.sessions,
            progress=DynamoProgress(self.table, clock=self.clock),
            steps=[
                KeepWords(said),
                KeepVectors(said, self.embedder),
                LearnFacts(facts=facts, model=self.model, embedder=self.embedder, telemetry=null, clock=self.clock),
                Summarise(
                    summaries=DynamoSummaries(self.table),
                    model=self.model,
                    telemetry=null,
                    clock=self.clock,
                    mark_tokens=10,
                ),
            ],
            telemetry=null,
            clock=self.clock,
            forget=lambda _: None,
        )
        pipeline.run(ENDED, deadline=self.clock().timestamp() + REMEMBER_SECONDS)

    def read(self) -> dict[str, Any]:
        """Return what is remembered, without times and ids."""
        memory = Said(DynamoSegments(self.table)).load(Owner("acme", self.user_id, "s1"), consistent=True)
        book = DynamoFacts(self.table).read("acme", self.user_id or "nobody")
        summaries = DynamoSummaries(self.table).list_all("acme", "s1")
        return {
            "words": [one.text for segment in memory.words for one in segment.said],
            "vectors": sorted(place for segment in memory.vectors for place in segment.places),
            "facts": sorted((fact.text, len(fact.evidence), fact.invalid_from) for fact in book.facts),
            "summaries": [(one.first_seq, one.last_seq, one.version) for one in summaries],
            "progress": dict(DynamoProgress(self.table, clock=self.clock).read("acme", "s1")),
        }


def check_claims(found: dict[str, Any]) -> None:
    """Fail where a step's progress covers what is not there."""
    done = {name.partition("@")[0]: reached for name, reached in found["progress"].items()}
    assert set(SAID[: done.get("turns", 0)]) <= set(found["words"])
    assert {seq for _, seq, _ in found["vectors"]} >= set(range(done.get("turn-vectors", 0)))
    assert not done.get("summary") or found["summaries"][-1][1] >= done["summary"] - 1


def list_stored(table: Table, user_id: str | None) -> list[str]:
    """Return the text of each utterance as it stands in the segments, whatever a reader makes of repeats."""
    items = DynamoSegments(table).list_newest(Owner("acme", user_id, "s1"), "words", 100)
    return [one.text for item in reversed(items) for one in turn_segments.decode_words(item.body).said]


def list_stored_vectors(table: Table, user_id: str | None) -> list[int]:
    """Return the message of each vector as it stands in the segments."""
    items = DynamoSegments(table).list_newest(Owner("acme", user_id, "s1"), "vectors", 100)
    return [seq for item in reversed(items) for _, seq, _ in turn_segments.decode_vectors(item.body).places]


@pytest.mark.parametrize(
    ("user_id", "full", "part"), [("ada", False, 100), ("ada", True, 100), (None, True, 100), ("ada", True, 4)]
)
def test_a_kill_after_any_write_loses_and_doubles_nothing(
    user_id: str | None, full: bool, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remember, "PART_MESSAGES", part)
    if full:  # Each write fills its segment, and another one follows.
        monkeypatch.setattr("pentad.memory.turns.said.MAX_SEGMENT_BYTES", 1)
        monkeypatch.setattr("pentad.memory.turns.said.MAX_UTTERANCES", 1)
    with local_aws() as (table, _):
        world, whole = World(table, user_id), Kill(after=10_000)
        with whole.watch(monkeypatch):
            world.run()
        expected, asked = world.read(), len(world.model.requests)
    assert expected["words"] == list(SAID)
    assert whole.writes >= 8
    assert len(expected["facts"]) >= (4 if user_id else 0)
    for after in range(whole.writes):
        with local_aws() as (table, _):
            world, kill = World(table, user_id), Kill(after)
            with kill.watch(monkeypatch):
                dead = _catches(world.run)
            assert dead
            check_claims(world.read())
            if kill.writes < whole.writes:  # The claim stands: another delivery waits for its end.
                with pytest.raises(StoreUnavailable):
                    world.run()
            world.clock.now += timedelta(seconds=REMEMBER_SECONDS + 1)
            world.run()
            assert (after, world.read()) == (after, expected)
            assert (after, list_stored(table, user_id)) == (after, list(SAID))
            assert (after, list_stored_vectors(table, user_id)) == (after, list(range(len(SAID))))
            assert len(world.model.requests) <= asked + 1


def _catches(run: Callable[[], None]) -> bool:
    try:
        run()
    except Killed:
        return True
    return False
