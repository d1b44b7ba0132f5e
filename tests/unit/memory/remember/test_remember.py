"""The pipeline after a run: each step covers what it has not, once, whatever comes twice, late or dies."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from pentad.domain.errors import BudgetExceeded, InvalidInput, ModelUnavailable, StoreUnavailable
from pentad.domain.messages import Message, TextBlock
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.remember.ports import Work
from pentad.memory.remember.remember import PART_MESSAGES, EndedRun, Remember, parse_event
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.memory.fakes import RUN, START

ENDED = EndedRun(tenant_id="acme", session_id="s1", run_id=RUN)
LATER = (START + timedelta(days=1)).timestamp()


def now() -> datetime:
    return START


@dataclass
class Step:
    """Notes which messages it got; ``failures`` are raised first, ``waits`` is how many messages it wants at least."""

    name: str = "summary"
    recipe: str = "1"
    waits: int = 0
    failures: list[BaseException] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)

    def run(self, work: Work) -> int:
        self.works.append(work)
        if self.failures:
            raise self.failures.pop(0)
        return work.next_seq if work.next_seq - work.first_seq >= self.waits else work.first_seq

    @property
    def ranges(self) -> list[tuple[int, int]]:
        return [(work.first_seq, work.next_seq) for work in self.works]


class World:
    """A session with messages, and the pipeline."""

    def __init__(self, *steps: Step) -> None:
        self.sessions = MemorySessions(clock=now)
        self.progress = MemoryProgress(clock=now)
        self.telemetry = MemoryTelemetry()
        head = Session(
            tenant_id="acme",
            session_id="s1",
            agent="assistant",
            user_id="ada",
            version=0,
            length=0,
            created_at=START,
            updated_at=START,
            expires_at=START + timedelta(days=30),
        )
        self.sessions.create(head)
        self.remember = self.make(*steps)

    def make(self, *steps: Step) -> Remember:
        return Remember(
            sessions=self.sessions, progress=self.progress, steps=steps, telemetry=self.telemetry, clock=now
        )

    def say(self, count: int) -> None:
        for _ in range(count):
            head = self.sessions.get("acme", "s1")
            assert head is not None
            message = Message(
                message_id=f"m{head.length}",
                role="user",
                blocks=(TextBlock(text=f"word{head.length}"),),
                created_at=START,
                run_id=RUN,
                step=0,
            )
            self.sessions.append("acme", "s1", [message], expected_version=head.version)

    def run(self) -> None:
        self.remember.run(ENDED, deadline=LATER)


def test_a_step_gets_what_it_has_not_covered_and_gets_it_once() -> None:
    step = Step()
    world = World(step)
    world.say(2)
    world.run()
    world.run()
    world.say(3)
    world.run()
    assert step.ranges == [(0, 2), (2, 5)]
    assert [one.words for one in step.works[1].spoken] == ["word2", "word3", "word4"]
    assert [one.seq for one in step.works[1].messages] == [2, 3, 4]
    assert (step.works[0].tenant_id, step.works[0].session_id, step.works[0].user_id) == ("acme", "s1", "ada")


def test_a_long_session_comes_in_parts() -> None:
    step = Step()
    world = World(step)
    world.say(PART_MESSAGES + 5)
    world.run()
    assert step.ranges == [(0, PART_MESSAGES), (PART_MESSAGES, PART_MESSAGES + 5)]


def test_a_step_that_waits_for_more_gets_the_same_again_with_what_came() -> None:
    step = Step(waits=4)
    world = World(step)
    world.say(2)
    world.run()
    world.say(2)
    world.run()
    assert step.ranges == [(0, 2), (0, 4)]


def test_another_recipe_begins_anew_and_the_other_steps_do_not() -> None:
    first, second = Step(), Step(name="turns")
    world = World(first, second)
    world.say(2)
    world.run()
    again = Step(recipe="2")
    world.remember = world.make(again, second)
    world.run()
    assert (again.ranges, second.ranges) == ([(0, 2)], [(0, 2)])


def test_a_step_that_fails_keeps_no_other_from_its_work_and_comes_again() -> None:
    broken, other = Step(failures=[ModelUnavailable("down")]), Step(name="turns")
    world = World(broken, other)
    world.say(1)
    with pytest.raises(ModelUnavailable):
        world.run()
    world.run()
    assert (broken.ranges, other.ranges) == ([(0, 1), (0, 1)], [(0, 1)])


def test_a_used_up_budget_sends_nothing_back_and_the_part_comes_with_the_next_run() -> None:
    step = Step(failures=[BudgetExceeded("the month's budget is used up")])
    world = World(step)
    world.say(1)
    world.run()
    world.say(1)
    world.run()
    assert step.ranges == [(0, 1), (0, 2)]


def test_a_worker_that_dies_between_a_step_and_its_note_makes_the_part_again() -> None:
    step = Step(failures=[KeyboardInterrupt()])
    world = World(step)
    world.say(1)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.run()
    assert step.ranges == [(0, 1), (0, 1)]


def test_fifty_deliveries_at_once_do_the_work_once() -> None:
    step = Step()
    world = World(step)
    world.say(3)
    start = threading.Barrier(50)

    def deliver(_: int) -> StoreUnavailable | None:
        start.wait(timeout=30)
        try:
            world.run()
        except StoreUnavailable as error:
            return error
        return None

    with ThreadPoolExecutor(50) as pool:
        refused = [error for error in pool.map(deliver, range(50)) if error]
    assert step.ranges == [(0, 3)]
    # Whoever was refused is delivered again, and finds nothing to do.
    assert all(error.retry_after is not None for error in refused)
    world.run()
    assert step.ranges == [(0, 3)]


def test_without_time_for_the_rest_it_comes_again_and_goes_on_from_there() -> None:
    step = Step()
    world = World(step)
    world.say(1)
    with pytest.raises(StoreUnavailable, match="no time left"):
        world.remember.run(ENDED, deadline=START.timestamp() + 5)
    assert step.ranges == []
    world.run()
    assert step.ranges == [(0, 1)]


def test_a_session_that_is_gone_and_a_workflows_step_are_nothing_to_remember() -> None:
    step = Step()
    world = World(step)
    world.say(1)
    world.remember.run(ENDED.model_copy(update={"session_id": "gone"}), deadline=LATER)
    world.remember.run(ENDED.model_copy(update={"tenant_id": "other"}), deadline=LATER)
    world.remember.run(ENDED.model_copy(update={"is_step": True}), deadline=LATER)
    assert step.ranges == []


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        World(Step(), Step(recipe="2"))


def test_an_event_is_read_and_what_is_none_is_refused() -> None:
    detail: dict[str, Any] = {"tenant": "acme", "session": "s1", "run": RUN, "status": "failed"}
    assert parse_event({"detail": detail}) == ENDED
    assert parse_event({"detail": detail | {"parent": RUN}}).is_step
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"detail": None},
        {"detail": {}},
        {"detail": detail | {"tenant": "../x"}},
        {"detail": [1]},
    )
    for wrong in bodies:
        with pytest.raises(InvalidInput):
            parse_event(wrong)


def test_messages_are_read_once_for_all_steps_that_are_equally_far(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Step(), Step(name="turns")
    world = World(first, second)
    world.say(3)
    reads: list[tuple[int, int]] = []
    read = world.sessions.read

    def count(tenant_id: str, session_id: str, begin: int, end: int) -> list[StoredMessage]:
        reads.append((begin, end))
        return read(tenant_id, session_id, begin, end)

    monkeypatch.setattr(world.sessions, "read", count)
    world.run()
    assert (first.ranges, second.ranges, reads) == ([(0, 3)], [(0, 3)], [(0, 2)])
    assert first.works[0].spoken == second.works[0].spoken
