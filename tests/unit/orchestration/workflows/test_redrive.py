"""What a redriven workflow's run takes over from the failed one, and what it does not."""

from typing import Any

import pytest

from pentad.domain.canonical import call_key
from pentad.domain.declarations.workflows import HumanStep
from pentad.domain.errors import EffectUncertain, InvalidTransition, StepDone
from pentad.domain.ids import approval_id
from pentad.domain.runs import ApprovalStatus, CallStatus, Run, RunStatus, ToolCall
from pentad.orchestration.lifecycle.redrive import Redrive
from pentad.orchestration.workflows.agent_steps import child_id
from pentad.orchestration.workflows.redriven_steps import LONGEST
from pentad.orchestration.workflows.tool_steps import INDEX, Calls
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.ports import Effect
from tests.unit.orchestration.workflows.conftest import SPEC, Bench
from tests.unit.orchestration.world import TENANT


def fail(bench: Bench) -> None:
    bench.world.runs.finish(
        TENANT, bench.run.run_id, RunStatus.FAILED, at=bench.world.clock(), answer=None, error="it broke"
    )


def redrive(bench: Bench) -> Run:
    """Fail the run and let another go on for it: the bench's states are the new one's."""
    fail(bench)
    world = bench.world
    again = Redrive(
        world.catalog, world.runs, world.sessions, MemoryEffects(), world.start, world.engine, now=world.clock
    )
    bench.run = again(TENANT, bench.run.run_id)
    bench.ends.begin(bench.entered)
    return bench.run


def called(bench: Bench, **values: Any) -> ToolCall:
    """Plan the call of the step keep, whose tool has an effect, and let it come to something."""
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 6, INDEX)
    bench.world.runs.save_call(call.model_copy(update=values))
    return bench.world.runs.get_call(TENANT, bench.run.run_id, 6, INDEX)


@pytest.fixture
def effects(bench: Bench) -> MemoryEffects:
    made = MemoryEffects()
    bench.calls = Calls(bench.stores, made)
    notes = bench.world.catalog.tools["notes"]
    bench.world.catalog.tools["notes"] = notes.model_copy(update={"effects": "external", "idempotent": False})
    return made


def begin(bench: Bench, effects: MemoryEffects, call: ToolCall, **values: Any) -> None:
    at = bench.world.clock()
    fields = {"status": "begun", "begun_at": at, **values}
    effects.begin(Effect(tenant_id=TENANT, run_id=call.run_id, effect_key=call_key(call), **fields))


def test_a_call_that_was_cut_off_is_not_repeated(bench: Bench, effects: MemoryEffects) -> None:
    begin(bench, effects, called(bench, status=CallStatus.FAILED, is_error=True))
    redrive(bench)
    bench.facts()
    with pytest.raises(EffectUncertain, match="may or may not have happened"):
        bench.calls.plan(bench.at("keep"))


def test_a_tool_that_can_be_asked_again_is_asked_for_the_same_effect(bench: Bench, effects: MemoryEffects) -> None:
    notes = bench.world.catalog.tools["notes"]
    bench.world.catalog.tools["notes"] = notes.model_copy(update={"idempotent": True})
    before = called(bench, status=CallStatus.FAILED, is_error=True)
    begin(bench, effects, before)
    redrive(bench)
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 6, INDEX)
    assert (call_key(call), call.arguments) == (call_key(before), before.arguments)


def test_an_effect_that_is_done_stands_though_its_call_was_not_saved(bench: Bench, effects: MemoryEffects) -> None:
    call = called(bench, status=CallStatus.FAILED, is_error=True)
    begin(bench, effects, call, status="done", result="kept")
    redrive(bench)
    bench.facts()
    with pytest.raises(StepDone):
        bench.calls.plan(bench.at("keep"))
    assert bench.calls.collect(bench.at("keep"), "StepDone") == {"keep": {"status": "succeeded", "at": 6}}
    stored = bench.stores.results.get(TENANT, bench.run.run_id, 6)
    assert stored is not None
    assert stored.text == "kept"


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        (CallStatus.FAILED, {"status": "done", "result": "no", "is_error": True}),
        (CallStatus.UNDONE, {"status": "done", "result": "kept"}),
        (CallStatus.FAILED, None),
    ],
    ids=["the tool said no", "undone", "never begun"],
)
def test_what_did_not_happen_is_done(
    bench: Bench, effects: MemoryEffects, status: CallStatus, effect: dict[str, Any] | None
) -> None:
    call = called(bench, status=status)
    if effect is not None:
        begin(bench, effects, call, **effect)
    redrive(bench)
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    assert bench.world.runs.get_call(TENANT, bench.run.run_id, 6, INDEX).effect_key is None


def test_a_call_that_had_its_effect_stands_though_its_arguments_would_be_others(
    bench: Bench, effects: MemoryEffects
) -> None:
    called(bench, status=CallStatus.SUCCEEDED, result="kept", undo={"id": 1})
    redrive(bench)
    bench.world.model.script = ['{"n": 4}']
    bench.stores.results.put(
        bench.stores.results.get(TENANT, bench.run.redrive_of_run_id or "", 1).model_copy(  # type: ignore[union-attr]
            update={"run_id": bench.run.run_id, "fields": {"n": 4}}
        )
    )
    with pytest.raises(StepDone):
        bench.calls.plan(bench.at("keep"))
    assert bench.world.runs.list_calls(TENANT, bench.run.run_id) == [], "it is undone where it was done"


def test_an_answer_that_was_not_collected_is_taken(bench: Bench) -> None:
    bench.facts()
    bench.children.begin(bench.at("helper"))
    child = child_id(bench.at("helper"))
    bench.world.runs.finish(TENANT, child, RunStatus.SUCCEEDED, at=bench.world.clock(), answer="seen")
    redrive(bench)
    bench.facts()
    with pytest.raises(StepDone):
        bench.children.begin(bench.at("helper"))
    assert bench.children.collect(bench.at("helper")) == {"helper": {"status": "succeeded", "at": 2}}
    assert bench.world.runs.list_children(TENANT, bench.run.run_id) == []


def test_an_agents_run_that_a_failed_run_left_behind_does_nothing_more(bench: Bench) -> None:
    bench.facts()
    bench.children.begin(bench.at("helper"))
    left = child_id(bench.at("helper"))
    redrive(bench)
    bench.facts()
    bench.children.begin(bench.at("helper"))
    assert bench.world.runs.get(TENANT, left).status is RunStatus.FAILED
    assert child_id(bench.at("helper")) != left


def decided(bench: Bench, verb: Any = "approve", **values: Any) -> None:
    bench.facts()
    bench.humans.ask(bench.at("sign"), "token")
    bench.world.decide(TENANT, approval_id(bench.run.run_id, 4), verb, by="ann", **values)


def test_a_decision_that_was_not_collected_is_not_asked_again(bench: Bench) -> None:
    decided(bench, "edit", text="Signed 3")
    redrive(bench)
    bench.facts()
    with pytest.raises(StepDone):
        bench.humans.ask(bench.at("sign"), "another")
    assert bench.humans.collect(bench.at("sign"), strict=True) == {"sign": {"status": "approved", "at": 4}}
    stored = bench.stores.results.get(TENANT, bench.run.run_id, 4)
    assert stored is not None
    assert (stored.text, (stored.fields or {})["decided_by"]) == ("Signed 3", "ann")


@pytest.mark.parametrize(
    "change", [{"text": "Sign twice"}, {"group": "lawyers"}, {"quorum": 2}, {"asks": "question"}], ids=str
)
def test_another_question_is_asked(bench: Bench, change: dict[str, Any]) -> None:
    decided(bench)
    redrive(bench)
    step = SPEC.steps["sign"]
    assert isinstance(step, HumanStep)
    steps = SPEC.steps | {"sign": step.model_copy(update=change)}
    bench.world.catalog.workflows["flow"] = SPEC.model_copy(update={"steps": steps})
    bench.facts()
    asked = bench.humans.ask(bench.at("sign"), "another")["approval"]
    assert bench.world.approvals.get(TENANT, asked).status is ApprovalStatus.PENDING


def test_what_nobody_decided_is_asked_again(bench: Bench) -> None:
    bench.facts()
    bench.humans.ask(bench.at("sign"), "token")
    bench.world.clock.advance(90_000)
    bench.humans.expire(bench.at("sign"))
    redrive(bench)
    bench.facts()
    assert bench.humans.ask(bench.at("sign"), "another")["approval"] == approval_id(bench.run.run_id, 4)


def test_a_run_that_failed_before_it_began_hands_on_what_came_before_it(bench: Bench) -> None:
    bench.facts()
    asked = len(bench.world.model.requests)
    fail(bench)
    world = bench.world
    again = Redrive(
        world.catalog, world.runs, world.sessions, MemoryEffects(), world.start, world.engine, now=world.clock
    )
    bench.run = again(TENANT, bench.run.run_id)
    redrive(bench)
    bench.task(bench.at("facts"), deadline=0)
    assert len(bench.world.model.requests) == asked


def test_it_does_not_go_on_for_ever(bench: Bench) -> None:
    for _ in range(LONGEST):
        redrive(bench)
    with pytest.raises(InvalidTransition, match="redriven more than"):
        redrive(bench)


@pytest.mark.parametrize(
    ("now", "again"),
    [({}, False), ({"quorum": 2}, True), ({"group": "finance"}, True), ({"not_requester": True}, True)],
)
def test_an_approved_call_is_asked_for_again_where_others_or_more_have_to_approve_it(
    bench: Bench, now: dict[str, Any], again: bool
) -> None:
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    bench.world.decide(TENANT, bench.humans.ask(bench.at("keep"), "token")["approval"], "approve", by="ann")
    redrive(bench)
    step = SPEC.steps["keep"].model_copy(update=now)
    flow = SPEC.model_copy(update={"steps": {**SPEC.steps, "keep": step}})
    bench.world.catalog.workflows["flow"] = flow
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    if again:
        assert bench.humans.ask(bench.at("keep"), "token")["approval"] == approval_id(bench.run.run_id, 6)
    else:
        with pytest.raises(StepDone):
            bench.humans.ask(bench.at("keep"), "token")


def test_what_an_uncollected_call_brought_from_outside_taints_the_run_that_takes_it_over(
    bench: Bench, effects: MemoryEffects
) -> None:
    called(bench, status=CallStatus.SUCCEEDED, result="a page", untrusted=True, sources=("tool:web",))
    assert bench.fresh().taint == ()
    redrive(bench)
    bench.facts()
    with pytest.raises(StepDone):
        bench.calls.plan(bench.at("keep"))
    assert bench.fresh().taint == ("tool:web",)
    assert bench.world.runs.get(TENANT, bench.run.redrive_of_run_id or "").taint == ()


def test_what_an_uncollected_agent_read_taints_the_run_that_takes_its_answer(bench: Bench) -> None:
    bench.facts()
    bench.children.begin(bench.at("helper"))
    child = bench.world.runs.get(TENANT, child_id(bench.at("helper")))
    bench.world.runs.note(TENANT, child.run_id, taint=("documents",))
    bench.world.runs.finish(TENANT, child.run_id, RunStatus.SUCCEEDED, at=bench.world.clock(), answer="ok")
    redrive(bench)
    bench.facts()
    with pytest.raises(StepDone):
        bench.children.begin(bench.at("helper"))
    assert bench.fresh().taint == ("documents",)
