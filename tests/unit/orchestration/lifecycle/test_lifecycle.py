"""Strategies for busy sessions, cancelling, switches, and what the runs queue's other messages lead to."""

import json
from typing import Any

import pytest

from pentad.domain.canonical import effect_key
from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.workflows import HumanStep, WorkflowSpec
from pentad.domain.errors import InvalidInput, InvalidTransition, PolicyDenied, SessionBusy, StoreUnavailable
from pentad.domain.runs import ApprovalStatus, CallStatus, Run, RunStatus
from pentad.orchestration.lifecycle.announce_end import FINISHED, build_detail
from pentad.orchestration.lifecycle.queue_messages import (
    EXECUTION_CHANGED,
    Again,
    Died,
    Freed,
    build_redrive_message,
    read_message,
)
from pentad.orchestration.lifecycle.redrive import GO_ON, NOT_BEGUN, UNCERTAIN, redriven_id
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.switches.ports import Switch
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.ports import Effect
from tests.unit.orchestration.world import CATALOG, TENANT, World, triggered

REPORT = WorkflowSpec(
    name="report", description="d", answer="{{a}}", steps={"a": HumanStep(name="a", number=1, text="{{input}}")}
)


def ask(world: World, message: str = "Hello", if_busy: Any = None, key: str | None = None, **values: Any) -> Run:
    request = RunRequest(agent=values.pop("agent", "assistant"), message=message, session_id="s", if_busy=if_busy)
    return world.start(TENANT, request, trigger="api", idempotency_key=key)


def finish(world: World, run: Run, status: RunStatus = RunStatus.SUCCEEDED) -> Run:
    return world.runs.finish(TENANT, run.run_id, status, at=world.clock(), answer="Hi")


def ended_events(world: World) -> list[dict[str, Any]]:
    return [detail for name, detail in world.events.published if name == FINISHED]


def switch(world: World, scope: Any, subject: str) -> None:
    world.switches.store.put(Switch(scope=scope, subject=subject, reason="an audit", by="op", at=world.clock()))


def test_the_request_says_what_it_does_to_a_busy_session() -> None:
    world = World()
    ask(world)
    with pytest.raises(SessionBusy):
        ask(world)
    assert ask(world, if_busy="enqueue").waiting
    urgent = ask(world, if_busy="interrupt")
    assert world.runs.find_lease_holder(TENANT, "s") == urgent.run_id


def test_else_the_agent_says_it() -> None:
    spec = CATALOG.agents["assistant"].model_copy(update={"if_busy": "enqueue"})
    world = World(Catalog(agents={"assistant": spec}, tools=CATALOG.tools))
    ask(world)
    assert ask(world).waiting
    with pytest.raises(SessionBusy):
        ask(world, if_busy="reject")


def test_a_run_that_waits_starts_no_execution_and_then_one() -> None:
    world = World()
    holder, waiting = ask(world), ask(world, if_busy="enqueue")
    assert list(world.engine.started) == [holder.run_id]
    ended = finish(world, holder)
    body = json.dumps({"detail-type": FINISHED, "detail": build_detail(ended)})
    for _ in range(2):
        triggered(world)(read_message(body, "m"))
    assert list(world.engine.started) == [holder.run_id, waiting.run_id]
    assert world.words("s") == ["Hello", "Hello"]


def test_a_lost_event_is_made_up_for_by_the_next_request() -> None:
    world = World()
    holder, waiting = ask(world), ask(world, if_busy="enqueue")
    finish(world, holder)
    assert ask(world, if_busy="enqueue").waiting
    assert waiting.run_id in world.engine.started


def test_a_crash_between_the_handover_and_the_execution_is_made_up_for() -> None:
    world = World()
    holder, waiting = ask(world), ask(world, if_busy="enqueue")
    finish(world, holder)
    world.engine.failure = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        world.start.advance(TENANT, "s")
    world.engine.failure = None
    world.start.advance(TENANT, "s")
    assert waiting.run_id in world.engine.started
    assert world.words("s") == ["Hello", "Hello"]


def test_an_interrupted_run_is_cancelled_and_says_by_whom() -> None:
    world = World()
    holder = ask(world)
    urgent = ask(world, "Stop!", if_busy="interrupt")
    stored = world.runs.get(TENANT, holder.run_id)
    assert (stored.status, urgent.run_id in (stored.stop_reason or "")) == (RunStatus.CANCELLED, True)
    assert urgent.fence > holder.fence
    assert holder.execution_arn in world.engine.dead


def test_a_repeated_request_that_interrupts_does_not_interrupt_itself() -> None:
    world = World()
    ask(world)
    urgent = ask(world, if_busy="interrupt", key="k")
    assert ask(world, if_busy="interrupt", key="k").run_id == urgent.run_id
    assert world.runs.get(TENANT, urgent.run_id).status is RunStatus.QUEUED


def test_cancelling_ends_frees_stops_and_tells() -> None:
    world = World()
    run = world.begin(session="s")
    ended = world.cancel(TENANT, run.run_id, by="ann", reason="a mistake")
    assert (ended.status, ended.stop_reason) == (RunStatus.CANCELLED, "Cancelled by ann: a mistake")
    assert world.runs.find_lease_holder(TENANT, "s") is None
    assert run.execution_arn in world.engine.dead
    assert [one["status"] for one in ended_events(world)] == ["cancelled"]


def test_cancelling_again_is_the_same_and_does_the_rest() -> None:
    world = World()
    run = world.begin()
    first = world.cancel(TENANT, run.run_id, by="ann")
    world.engine.dead.clear()
    assert world.cancel(TENANT, run.run_id, by="bob") == first
    assert run.execution_arn in world.engine.dead


def test_a_run_that_has_ended_is_not_cancelled() -> None:
    world = World()
    run = finish(world, world.begin())
    with pytest.raises(InvalidTransition, match="succeeded"):
        world.cancel(TENANT, run.run_id, by="ann")


def test_a_long_reason_is_refused() -> None:
    with pytest.raises(InvalidInput):
        World().cancel(TENANT, "run_" + "0" * 26, by="ann", reason="x" * 301)


def test_cancelling_closes_what_the_run_has_asked() -> None:
    world = World()
    world.model.script = [[("notes", {"text": "a"})]]
    run = world.begin()
    world.turn(run)
    approval = world.asking.ask_for_step(TENANT, run.run_id, 1, "token")
    assert approval is not None
    world.cancel(TENANT, run.run_id, by="ann")
    assert world.approvals.get(TENANT, approval.approval_id).status is ApprovalStatus.EXPIRED
    assert world.approvals.list_pending(TENANT).items == ()


def test_cancelling_a_workflow_cancels_the_runs_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(CATALOG.model_copy(update={"workflows": {"report": REPORT}}))
    parent = ask(world, agent="report")
    child = parent.model_copy(
        update={
            "run_id": "run_" + "1" * 26,
            "agent": "assistant",
            "session_id": "c",
            "parent_run_id": parent.run_id,
            "kind": "agent",
        }
    )
    spec = CATALOG.agents["assistant"]
    [message] = [one.message for one in world.sessions.read(TENANT, "s", 0, 0)]
    world.start.begin(child, message, spec, heals=False)
    stopped: list[tuple[str, RunStatus]] = []
    stop = world.engine.stop

    def note(execution_arn: str, *, error: str, cause: str) -> None:
        stopped.append((execution_arn, world.runs.get(TENANT, child.run_id).status))
        stop(execution_arn, error=error, cause=cause)

    monkeypatch.setattr(world.engine, "stop", note)
    world.cancel(TENANT, parent.run_id, by="ann", reason="a mistake")
    stored = world.runs.get(TENANT, child.run_id)
    assert (stored.status, stored.stop_reason) == (RunStatus.CANCELLED, "Cancelled by its workflow: a mistake")
    # The workflow's own first, or the end of its step would be a failure to it; and all once the runs have ended.
    assert stopped == [(parent.execution_arn, RunStatus.CANCELLED), (stored.execution_arn, RunStatus.CANCELLED)]
    assert parent.execution_arn != stored.execution_arn


@pytest.mark.parametrize(
    ("scope", "subject", "field"), [("all", "*", None), ("tenant", TENANT, None), ("agent", "assistant", "agent")]
)
def test_a_refused_run_names_the_agent_only_where_it_is_what_is_off(
    scope: str, subject: str, field: str | None
) -> None:
    world = World()
    switch(world, scope, subject)
    with pytest.raises(PolicyDenied) as refused:
        ask(world)
    assert refused.value.field == field


@pytest.mark.parametrize(("scope", "subject"), [("all", "*"), ("tenant", TENANT), ("agent", "assistant")])
def test_what_is_switched_off_starts_no_run_and_stops_at_the_next_turn(scope: str, subject: str) -> None:
    world = World()
    run = world.begin(session="s2")
    switch(world, scope, subject)
    assert world.switches.get_availability(TENANT, run.agent, ()).stopped is not None
    with pytest.raises(PolicyDenied, match="an audit"):
        ask(world)
    assert world.runs.find_lease_holder(TENANT, "s") is None
    assert world.switches.store.remove(scope, subject)  # type: ignore[arg-type]
    assert ask(world).status is RunStatus.QUEUED


def test_another_agent_or_tenant_goes_on() -> None:
    world = World()
    switch(world, "agent", "plain")
    switch(world, "tenant", "other")
    switch(world, "tool", "notes")
    assert ask(world).status is RunStatus.QUEUED


@pytest.mark.parametrize(
    ("status", "error"),
    [("TIMED_OUT", "ExecutionTimedOut"), ("ABORTED", "ExecutionAborted"), ("FAILED", "ExecutionFailed")],
)
def test_an_execution_that_aws_ended_fails_its_run_once(status: str, error: str) -> None:
    world = World()
    run = world.begin(session="s")
    detail = {"status": status, "input": json.dumps(world.engine.started[run.run_id])}
    read = read_message(json.dumps({"detail-type": EXECUTION_CHANGED, "detail": detail}), "m")
    assert read == Died(TENANT, run.run_id, error)  # type: ignore[arg-type]
    for _ in range(2):
        triggered(world)(read)
    stored = world.runs.get(TENANT, run.run_id)
    assert (stored.status, (stored.error or "").partition(":")[0]) == (RunStatus.FAILED, error)
    assert world.runs.find_lease_holder(TENANT, "s") is None
    assert len(ended_events(world)) == 1


def test_a_run_found_dead_before_its_event_came_is_told_of_and_asks_nobody_any_more() -> None:
    world = World()
    world.model.script = [[("notes", {"title": "a"})]]
    run = world.begin(session="s")
    world.turn(run)
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token")
    world.engine.dead.add(str(world.runs.get(TENANT, run.run_id).execution_arn))
    with pytest.raises(SessionBusy):
        ask(world, if_busy="reject")
    assert (world.runs.get(TENANT, run.run_id).status, ended_events(world)) == (RunStatus.FAILED, [])
    triggered(world)(Died(TENANT, run.run_id, "ExecutionAborted"))
    assert [one["run"] for one in ended_events(world)] == [run.run_id]
    assert world.approvals.list_pending(TENANT).items == ()


def test_an_execution_of_no_run_is_noted_only() -> None:
    world = World()
    triggered(world)(Died(TENANT, "run_" + "0" * 26, "ExecutionFailed"))
    assert world.events.published == []


@pytest.mark.parametrize(
    "body",
    [
        {"detail-type": EXECUTION_CHANGED, "detail": {"status": "FAILED", "input": "nonsense"}},
        {"detail-type": EXECUTION_CHANGED, "detail": {"status": "FAILED", "input": "[]"}},
        {"detail-type": FINISHED, "detail": {"tenant": "acme", "session": "../x"}},
        {"detail-type": "pentad.run.redrive", "detail": {"tenant": "acme"}},
    ],
)
def test_an_event_that_is_not_well_formed_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_message(json.dumps(body), "m")


def test_events_name_what_is_to_be_done() -> None:
    freed = {"detail-type": FINISHED, "detail": {"tenant": "acme", "session": "s"}}
    assert read_message(json.dumps(freed), "m") == Freed("acme", "s")
    assert read_message(build_redrive_message("acme", "run_" + "0" * 26), "m") == Again("acme", "run_" + "0" * 26)


def _redriven(world: World, run: Run, effects: MemoryEffects | None = None) -> Run:
    triggered(world, effects)(Again(TENANT, run.run_id))
    return world.runs.get(TENANT, redriven_id(TENANT, run.run_id))


def _last(world: World) -> Any:
    head = world.sessions.get(TENANT, "s")
    assert head is not None
    return world.sessions.read(TENANT, "s", head.length - 1, head.length - 1)[0].message


def test_a_run_that_failed_before_its_first_turn_is_asked_anew() -> None:
    world = World()
    run = finish(world, world.begin("What is 2 + 2?", session="s", metadata={"a": "b"}), RunStatus.FAILED)
    again = _redriven(world, run)
    assert (again.redrive_of_run_id, again.session_id, again.metadata) == (run.run_id, "s", {"a": "b"})
    assert world.words("s") == ["What is 2 + 2?"] * 2
    assert again.run_id in world.engine.started


def test_a_repeated_redrive_is_the_same_run() -> None:
    world = World()
    run = finish(world, world.begin(session="s"), RunStatus.FAILED)
    assert _redriven(world, run) == _redriven(world, run)
    assert len(world.runs.list_page(TENANT).items) == 2


def test_a_failed_run_goes_on_with_the_results_of_the_calls_it_made() -> None:
    world = World()
    world.model.script = [[("calculator", {"n": number}) for number in range(4)]]
    run = world.begin(session="s")
    decision = world.turn(run)
    effects = MemoryEffects()
    calls = world.runs.list_calls(TENANT, run.run_id, 1)
    world.runs.save_call(calls[0].model_copy(update={"status": CallStatus.SUCCEEDED, "result": "4"}))
    for call, status in ((calls[1], "done"), (calls[2], "begun")):
        key = effect_key(run.run_id, 1, call.index, call.tool, call.arguments)
        values = {"tenant": TENANT, "run": run.run_id, "effect_key": key, "begun_at": world.clock()}
        effects.begin(Effect(status="begun", **values))
        if status == "done":
            effects.finish(Effect(status="done", result="sent", **values))
    assert len(decision.calls) == 4
    _redriven(world, finish(world, run, RunStatus.FAILED), effects)
    message = _last(world)
    told = [block.content for block in message.blocks[:-1]]
    assert told == ["4", "sent", UNCERTAIN, NOT_BEGUN]
    assert message.text == GO_ON


def test_a_run_that_goes_on_knows_whose_text_stands_in_results_that_no_turn_has_seen() -> None:
    world = World()
    world.model.script = [[("calculator", {"n": 1}), ("notes", {"n": 2})]]
    run = world.begin(session="s")
    world.turn(run)
    first, second = world.runs.list_calls(TENANT, run.run_id, 1)
    # Of records: whose words they hold is told by the call, and its tool is one of ours.
    found = {"status": CallStatus.SUCCEEDED, "result": "order", "untrusted": True, "sources": ("trigger",)}
    world.runs._calls[TENANT, run.run_id, 1, 0] = first.model_copy(update=found)
    effects = MemoryEffects()
    key = effect_key(run.run_id, 1, 1, second.tool, second.arguments)
    values = {"tenant": TENANT, "run": run.run_id, "effect_key": key, "begun_at": world.clock()}
    effects.begin(Effect(status="begun", **values))
    effects.finish(Effect(status="done", result="sent", untrusted=True, sources=("documents",), **values))
    again = _redriven(world, finish(world, run, RunStatus.FAILED), effects)
    assert _last(world).taint == ("documents", "trigger")
    world.model.script = ["Done."]
    world.turn(again)
    assert world.runs.get(TENANT, again.run_id).taint == ("documents", "trigger")


def test_a_run_whose_session_went_on_is_asked_anew() -> None:
    world = World()
    world.model.script = [[("calculator", {"n": 1})]]
    run = world.begin("First", session="s")
    world.turn(run)
    finish(world, run, RunStatus.FAILED)
    finish(world, ask(world, "Second"))
    _redriven(world, run)
    assert _last(world).text == "First"


def test_only_a_failed_run_that_is_no_step_goes_on() -> None:
    world = World()
    run = world.begin(session="s")
    with pytest.raises(InvalidTransition, match="running"):
        triggered(world)(Again(TENANT, run.run_id))
    finish(world, run)
    with pytest.raises(InvalidTransition, match="succeeded"):
        triggered(world)(Again(TENANT, run.run_id))


def test_a_failed_run_that_is_switched_off_does_not_go_on_until_it_is_switched_on() -> None:
    world = World()
    run = finish(world, world.begin(session="s"), RunStatus.FAILED)
    switch(world, "agent", run.agent)
    with pytest.raises(PolicyDenied, match="an audit"):
        _redriven(world, run)
    assert world.switches.store.remove("agent", run.agent)
    assert _redriven(world, run).redrive_of_run_id == run.run_id


def test_a_redriven_run_waits_for_a_busy_session() -> None:
    world = World()
    run = finish(world, world.begin(session="s"), RunStatus.FAILED)
    ask(world)
    assert _redriven(world, run).waiting


def test_what_a_call_of_a_cancelled_run_has_done_is_written_down_and_nothing_new_begins() -> None:
    world = World()
    world.model.script = [[("calculator", {"n": 1})]]
    run = world.begin(session="s")
    world.turn(run)
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    world.cancel(TENANT, run.run_id, by="ann")
    world.runs.save_call(call.model_copy(update={"status": CallStatus.SUCCEEDED, "result": "4"}))
    assert world.runs.get_call(TENANT, run.run_id, 1, 0).result == "4"
    assert world.turn(run, 2).kind == "stop"
    assert world.model.script == []
