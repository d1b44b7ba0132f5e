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
from pentad.memory.remember.ports import DeletedSession, Work
from pentad.memory.remember.remember import PART_MESSAGES, EndedRun, Remember, parse_event
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.memory.fakes import RUN, START

ENDED = EndedRun(tenant_id="acme", session_id="s1", run_id=RUN)
HEAD = Session(
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
GONE = DeletedSession("acme", "s1", "ada", HEAD.expires_at)
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
        self.forgotten: list[DeletedSession] = []
        self.forget_failures: list[Exception] = []
        self.sessions.create(HEAD)
        self.remember = self.make(*steps)

    def make(self, *steps: Step) -> Remember:
        return Remember(
            sessions=self.sessions,
            progress=self.progress,
            steps=steps,
            telemetry=self.telemetry,
            clock=now,
            forget=self.forget,
        )

    def forget(self, deleted: DeletedSession) -> None:
        if self.forget_failures:
            raise self.forget_failures.pop(0)
        self.forgotten.append(deleted)

    def delete(self) -> None:
        """As the API deletes a session: its head with the note, then what was made of it."""
        head = self.sessions.get("acme", "s1")
        assert head is not None
        self.sessions.remove("acme", "s1")
        self.progress.note_deleted(DeletedSession("acme", "s1", head.user_id, head.expires_at))
        self.progress.remove("acme", "s1")

    def begin_again(self, user_id: str = "eve") -> None:
        self.sessions.create(HEAD.model_copy(update={"created_at": START + timedelta(seconds=1), "user_id": user_id}))

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
    # What its models were asked is below its span, and no other try of this run's end writes that.
    assert [one.is_final for one in world.telemetry.spans] == [True, True]


def test_the_span_of_the_last_delivery_is_that_of_all_where_none_ended_well() -> None:
    world = World(Step(failures=[ModelUnavailable("down"), ModelUnavailable("down")]))
    world.say(1)
    for last in (False, True):
        with pytest.raises(ModelUnavailable):
            world.remember.run(ENDED, deadline=LATER, last=last)
    assert [one.is_final for one in world.telemetry.spans] == [False, True]


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


@dataclass
class Deleting(Step):
    """Has its session deleted while it is at work."""

    world: World | None = None
    begins_again: bool = False

    def run(self, work: Work) -> int:
        if self.world is not None:
            self.world.delete()
            if self.begins_again:
                self.world.begin_again()
            self.world = None
        return super().run(work)


@pytest.mark.parametrize("failures", [[], [ModelUnavailable("down")], [KeyboardInterrupt()]])
@pytest.mark.parametrize("forget_failures", [0, 1, 2])
def test_what_is_made_of_a_session_that_is_deleted_meanwhile_is_taken_back_however_often_that_fails(
    failures: list[BaseException], forget_failures: int
) -> None:
    step = Deleting(failures=list(failures))
    world = World(step)
    world.say(1)
    step.world = world
    world.forget_failures = [StoreUnavailable(f"down {number}") for number in range(forget_failures)]
    errors = list(world.forget_failures)
    first = next(iter([*failures, *errors]), None)
    if first is not None:
        with pytest.raises(type(first)) as raised:
            world.run()
        assert raised.value is first, "what went wrong first"
    for error in errors[1:]:
        with pytest.raises(StoreUnavailable) as again:  # the claim was given back, or this would be another error
            world.run()
        assert again.value is error
    world.run()
    assert world.forgotten == [GONE]
    assert world.progress.find_deleted("acme", "s1") is None
    world.run()
    assert world.forgotten == [GONE]


def test_a_session_that_is_begun_again_is_remembered_from_its_beginning_after_the_old_one_is_forgotten() -> None:
    step = Deleting(begins_again=True)
    world = World(step)
    world.say(3)
    step.world = world
    world.forget_failures = [StoreUnavailable("down")]
    with pytest.raises(StoreUnavailable, match="down"):
        world.run()
    world.say(1)
    world.run()
    assert world.forgotten == [GONE]
    assert step.ranges == [(0, 3), (0, 1)]
    world.say(1)
    world.run()
    assert (world.forgotten, step.ranges[2:]) == ([GONE], [(1, 2)])


def test_a_worker_that_was_killed_leaves_a_deleted_session_to_the_next_delivery() -> None:
    """Nothing of the killed one's runs on; its claim ends by itself."""
    world = World(Step())
    world.progress.claim(HEAD, owner="killed", seconds=0)
    world.sessions.remove("acme", "s1")
    world.progress.note_deleted(GONE)
    world.run()
    assert world.forgotten == [GONE]
    assert world.progress.find_deleted("acme", "s1") is None


def test_a_claim_that_can_not_be_given_back_hides_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the table does not answer")

    world = World(Step(failures=[ModelUnavailable("down")]))
    world.say(1)
    monkeypatch.setattr(world.progress, "release", fail)
    with pytest.raises(ModelUnavailable):
        world.run()


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
