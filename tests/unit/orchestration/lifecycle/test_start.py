"""Start a run: validation, idempotency, the lease, and what crashes leave."""

from collections import Counter
from datetime import timedelta

import pytest

from pentad.domain.declarations.workflows import HumanStep, WorkflowSpec
from pentad.domain.errors import IdempotencyConflict, InvalidInput, NotFound, SessionBusy, StoreUnavailable
from pentad.domain.runs import Run, RunStatus
from pentad.domain.tracing import find_run_place
from pentad.orchestration.lifecycle.announce_end import record_silent_end
from pentad.orchestration.lifecycle.start import EXPRESS_SECONDS, LEASE_MARGIN_SECONDS, RunRequest, Trigger
from pentad.orchestration.turn.taint import list_own_words
from tests.unit.orchestration.world import CATALOG, TENANT, World

REPORT = WorkflowSpec(
    name="report",
    description="writes",
    answer="{{approve}}",
    steps={"approve": HumanStep(name="approve", number=1, text="{{input}}", seconds=120)},
)
HELLO = RunRequest(agent="assistant", message="Hello")


def _start(world: World, request: RunRequest = HELLO, key: str | None = None) -> Run:
    return world.start(TENANT, request, trigger="api", idempotency_key=key)


def test_the_execution_has_the_runs_id_and_references_only() -> None:
    world = World()
    run = _start(world)
    assert world.engine.started == {
        run.run_id: {"tenant": TENANT, "run": run.run_id, "session": run.session_id, "agent": "assistant"}
    }


def test_a_new_session_is_made_where_none_is_named() -> None:
    world = World()
    assert _start(world).session_id != _start(world).session_id


def test_an_unknown_agent_is_told_which_there_are() -> None:
    with pytest.raises(InvalidInput, match="nobody") as caught:
        _start(World(), RunRequest(agent="nobody", message="Hello"))
    assert (caught.value.field, caught.value.fix) == ("agent", "use one of: assistant, plain")


def test_a_workflow_is_started_by_its_name() -> None:
    world = World(CATALOG.model_copy(update={"workflows": {"report": REPORT}}))
    run = _start(world, RunRequest(agent="report", message="On bees", session_id="s1"))
    assert (world.runs.get(TENANT, run.run_id).kind, list(world.engine.started)) == ("workflow", [run.run_id])
    world.clock.advance(REPORT.limits.seconds + 120 + LEASE_MARGIN_SECONDS - 1)
    assert world.runs.find_lease_holder(TENANT, "s1") == run.run_id
    world.clock.advance(2)
    assert world.runs.find_lease_holder(TENANT, "s1") is None


def test_the_lease_of_a_reply_outlives_its_express_execution_by_a_minute() -> None:
    reply = CATALOG.agents["plain"].model_copy(update={"pattern": "reply"})
    world = World(CATALOG.model_copy(update={"agents": {**CATALOG.agents, "plain": reply}}))
    run = _start(world, RunRequest(agent="plain", message="Hello", session_id="s1"))
    world.clock.advance(EXPRESS_SECONDS + 59)
    assert world.runs.find_lease_holder(TENANT, "s1") == run.run_id
    world.clock.advance(2)
    assert world.runs.find_lease_holder(TENANT, "s1") is None


def test_a_key_gives_the_same_run_session_and_execution() -> None:
    world = World()
    first, second = _start(world, key="k"), _start(world, key="k")
    assert (first.run_id, first.session_id, first.execution_arn) == (
        second.run_id,
        second.session_id,
        second.execution_arn,
    )
    assert world.words(first.session_id) == ["Hello"]


def test_a_key_of_another_tenant_is_another_run() -> None:
    world = World()
    other = world.start("other", HELLO, trigger="queue", idempotency_key="k")
    assert other.run_id != _start(world, key="k").run_id


def test_a_key_for_another_request_is_a_conflict() -> None:
    world = World()
    _start(world, key="k")
    with pytest.raises(IdempotencyConflict):
        _start(world, RunRequest(agent="assistant", message="Bye"), key="k")


def test_a_repeat_after_the_end_starts_nothing() -> None:
    world = World()
    run = _start(world, key="k")
    world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=world.clock(), answer="Hi")
    world.engine.started.clear()
    assert _start(world, key="k").answer == "Hi"
    assert world.engine.started == {}


def test_a_failed_start_with_a_key_is_finished_by_the_same_key() -> None:
    world = World()
    world.engine.failure = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        _start(world, key="k")
    world.engine.failure = None
    run = _start(world, key="k")
    assert run.execution_arn is not None
    assert world.words(run.session_id) == ["Hello"]


@pytest.mark.parametrize("failure", [StoreUnavailable("down"), KeyError("what nobody expected")])
def test_a_failed_start_without_a_key_fails_the_run_and_frees_the_session(failure: Exception) -> None:
    world = World()
    world.engine.failure = failure
    request = HELLO.model_copy(update={"session_id": "s1"})
    with pytest.raises(type(failure)):
        _start(world, request)
    [failed] = world.runs.list_page(TENANT).items
    assert (failed.status, world.runs.find_lease_holder(TENANT, "s1")) == (RunStatus.FAILED, None)


def test_an_agent_without_a_machine_frees_the_session_even_with_a_key() -> None:
    world = World()
    world.engine.failure = NotFound("no machine")
    with pytest.raises(NotFound):
        _start(world, HELLO.model_copy(update={"session_id": "s1"}), key="k")
    assert world.runs.find_lease_holder(TENANT, "s1") is None


def test_a_second_run_of_the_session_is_told_to_wait() -> None:
    world = World()
    request = HELLO.model_copy(update={"session_id": "s1"})
    _start(world, request)
    with pytest.raises(SessionBusy) as caught:
        _start(world, request)
    assert (caught.value.retry_after or 0) > 0


def test_the_lease_covers_the_runs_time_and_one_approval() -> None:
    world = World()
    request = HELLO.model_copy(update={"session_id": "s1"})
    first = _start(world, request)
    world.clock.advance(600 + 3600 + LEASE_MARGIN_SECONDS - 1)
    with pytest.raises(SessionBusy):
        _start(world, request)
    world.clock.advance(2)
    assert _start(world, request).run_id != first.run_id


def test_a_run_that_a_crash_left_without_execution_is_started_by_the_next_in_the_session() -> None:
    world = World()
    world.engine.failure = StoreUnavailable("down")
    request = HELLO.model_copy(update={"session_id": "s1"})
    with pytest.raises(StoreUnavailable):
        _start(world, request, key="k")
    world.engine.failure = None
    with pytest.raises(SessionBusy):
        _start(world, request)
    [orphan] = world.runs.list_page(TENANT).items
    assert list(world.engine.started) == [orphan.run_id]
    assert orphan.execution_arn is not None


def test_a_run_whose_execution_died_is_failed_by_the_next_in_the_session() -> None:
    world = World()
    request = HELLO.model_copy(update={"session_id": "s1"})
    dead = _start(world, request)
    world.engine.dead.add(dead.execution_arn or "")
    with pytest.raises(SessionBusy):
        _start(world, request)
    assert world.runs.get(TENANT, dead.run_id).status is RunStatus.FAILED
    assert _start(world, request).run_id != dead.run_id
    assert _count_ends(world, dead.run_id) == ENDED_ONCE


def test_a_run_that_could_not_be_started_is_counted_once() -> None:
    world = World()
    world.engine.failure = NotFound("no such state machine", field="agent")
    with pytest.raises(NotFound):
        _start(world, key="k")
    assert _start(world, key="k").status is RunStatus.FAILED
    [failed] = world.runs.list_page(TENANT).items
    assert _count_ends(world, failed.run_id) == ENDED_ONCE


def test_of_two_that_find_a_run_dead_one_counts_it() -> None:
    world = World()
    dead = _start(world, HELLO.model_copy(update={"session_id": "s1"}))
    world.clock.advance(1)
    first, second = world.clock(), world.clock() + timedelta(milliseconds=3)
    for at in (first, second):
        ended = world.runs.finish(TENANT, dead.run_id, RunStatus.FAILED, at=at, answer=None, error="died")
        record_silent_end(dead, ended, at, world.telemetry)
    assert _count_ends(world, dead.run_id) == ENDED_ONCE


def test_a_session_of_another_agent_is_refused() -> None:
    world = World()
    run = _start(world, HELLO.model_copy(update={"session_id": "s1"}))
    world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=world.clock(), answer="Hi")
    with pytest.raises(InvalidInput) as caught:
        _start(world, RunRequest(agent="plain", message="Hello", session_id="s1"))
    assert caught.value.field == "session"


def test_started_runs_are_counted_once() -> None:
    world = World()
    _start(world, key="k")
    world.clock.advance(1)
    _start(world, key="k")
    assert [count.name for count in world.telemetry.counts].count("RunsStarted") == 1


def test_a_heal_that_fails_leaves_the_session_busy() -> None:
    world = World()
    world.engine.failure = StoreUnavailable("down")
    request = HELLO.model_copy(update={"session_id": "s1"})
    with pytest.raises(StoreUnavailable):
        _start(world, request, key="k")
    with pytest.raises(SessionBusy):
        _start(world, request)
    assert [event.name for event in world.telemetry.events].count("run.heal_failed") == 1


CALLER = f"00-{'a' * 32}-{'b' * 16}-00"


def test_a_run_is_in_its_callers_trace_and_a_repeat_changes_nothing() -> None:
    world = World()
    run = world.start(TENANT, HELLO, trigger="api", idempotency_key="k", traceparent=CALLER)
    again = world.start(TENANT, HELLO, trigger="api", idempotency_key="k", traceparent=CALLER.replace("a", "c"))
    assert again == run
    stored = world.runs.get(TENANT, run.run_id)
    assert find_run_place(stored).trace_id == "a" * 32
    # No state's payload has it.
    assert "traceparent" not in world.engine.started[run.run_id]


@pytest.mark.parametrize("text", ["", "nonsense", f"00-{'0' * 32}-{'b' * 16}-01", "x" * 10_000])
def test_a_traceparent_that_is_not_valid_is_ignored(text: str) -> None:
    run = World().start(TENANT, HELLO, trigger="api", traceparent=text)
    assert run.traceparent is None


@pytest.mark.parametrize(
    ("trigger", "taint"),
    [("queue", ("trigger",)), ("event", ("trigger",)), ("api", ()), ("cli", ()), ("schedule", ())],
)
def test_the_request_itself_keeps_that_nobody_of_the_tenant_wrote_it(trigger: Trigger, taint: tuple[str, ...]) -> None:
    world = World()
    run = world.start(TENANT, HELLO, trigger=trigger, idempotency_key="k")
    [request] = world.sessions.read(TENANT, run.session_id, 0, 0)
    assert request.message.taint == run.taint == taint
    assert list_own_words([request]) == ([] if taint else ["Hello"])


ENDED_ONCE = {"RunsEnded": 1, "RunsFailed": 1, "RunCost": 1, "RunDuration": 1, "root": 1}


def _count_ends(world: World, run_id: str) -> dict[str, int]:
    """Return how often the end of a run was counted, and its root written."""
    counted = Counter(one.name for one in world.telemetry.counts if one.name in ENDED_ONCE)
    root = find_run_place(world.runs.get(TENANT, run_id))
    roots = [one for one in world.telemetry.ended if one.place == root]
    return {**counted, "root": len(roots)}
