"""Human decisions: asked, decided, expired, and what crashes leave."""

from typing import Any

import pytest

from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound, StoreUnavailable
from pentad.domain.ids import approval_id, hash_user
from pentad.domain.runs import ApprovalStatus, CallRef, CallStatus, Run, RunStatus
from tests.unit.orchestration.world import TENANT, World

BOTH = (CallRef(tool="calculator", index=0), CallRef(tool="notes", index=1))
FREE = BOTH[:1]


def _asked() -> tuple[World, Run, str]:
    world = World()
    world.model.script = [[("calculator", {"x": 1}), ("notes", {"title": "a"})]]
    run = world.begin()
    world.turn(run)
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")
    return world, run, approval_id(run.run_id, 1)


def _woken(world: World) -> Any:
    return [output["calls"] for output in world.engine.woken.values()]


def _dumped(calls: tuple[CallRef, ...]) -> list[dict[str, Any]]:
    return [call.model_dump() for call in calls]


def _on(calls: tuple[CallRef, ...]) -> dict[str, Any]:
    return {"kind": "tools", "step": 1, "calls": _dumped(calls)}


def test_the_run_waits_and_the_approval_shows_only_what_needs_one() -> None:
    world, run, name = _asked()
    approval = world.approvals.get(TENANT, name)
    assert [call.tool for call in approval.calls] == ["notes"]
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.AWAITING_HUMAN


def test_a_retried_request_replaces_the_token_and_nothing_else() -> None:
    world, run, name = _asked()
    before = world.approvals.get(TENANT, name)
    world.clock.advance(5)
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-2")
    assert (world.approvals.get(TENANT, name), world.approvals.get_token(TENANT, name)) == (before, "token-2")


def test_a_request_without_anything_to_approve_is_not_found() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    world.turn(run)
    with pytest.raises(NotFound):
        world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")


def test_approve_lets_all_calls_run() -> None:
    world, run, name = _asked()
    world.decide(TENANT, name, "approve", by="ann")
    assert _woken(world) == [_dumped(BOTH)]
    assert world.runs.get_call(TENANT, run.run_id, 1, 1).status is CallStatus.APPROVED


@pytest.mark.parametrize(("by", "logged"), [("ann@example.com", hash_user("ann@example.com")), ("key:k1", "key:k1")])
def test_the_log_names_a_user_who_decides_by_the_hash(by: str, logged: str) -> None:
    world, _, name = _asked()
    world.decide(TENANT, name, "approve", by=by)
    [said] = [event.fields["by"] for event in world.telemetry.events if event.name == "approval.said"]
    assert said == logged


def test_reject_lets_the_others_run_and_tells_the_model_why() -> None:
    world, run, name = _asked()
    world.decide(TENANT, name, "reject", by="ann", reason="too long")
    call = world.runs.get_call(TENANT, run.run_id, 1, 1)
    assert _woken(world) == [_dumped(FREE)]
    assert (call.status, call.is_error) == (CallStatus.REJECTED, True)
    assert "too long" in (call.result or "")


def test_the_time_waited_is_added_once() -> None:
    world, run, name = _asked()
    world.clock.advance(100)
    for _ in range(2):
        world.decide(TENANT, name, "approve", by="ann")
    stored = world.runs.get(TENANT, run.run_id)
    assert (stored.status, stored.waited_seconds) == (RunStatus.RUNNING, 100)


def test_the_same_decision_again_is_the_same_answer() -> None:
    world, _, name = _asked()
    first = world.decide(TENANT, name, "approve", by="ann")
    assert world.decide(TENANT, name, "approve", by="bob") == first


def test_another_decision_afterwards_is_refused() -> None:
    world, _, name = _asked()
    world.decide(TENANT, name, "approve", by="ann")
    with pytest.raises(InvalidTransition):
        world.decide(TENANT, name, "reject", by="bob")


def test_a_decision_after_its_time_is_refused() -> None:
    world, _, name = _asked()
    world.clock.advance(3600)
    with pytest.raises(InvalidTransition, match="expired"):
        world.decide(TENANT, name, "approve", by="ann")


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        ({"title": ["cut \ud83d"]}, "whole characters"),
        ({"\udfff": 1}, "whole characters"),
        ({"n": float("nan")}, "NaN"),
    ],
)
def test_an_edit_that_no_call_can_hold_is_refused(arguments: dict[str, Any], fix: str) -> None:
    world, _, name = _asked()
    with pytest.raises(InvalidInput) as caught:
        world.decide(TENANT, name, "edit", by="ann", arguments={1: arguments})
    assert caught.value.field == "arguments.1"
    assert fix in str(caught.value.fix)
    assert world.approvals.get(TENANT, name).status is ApprovalStatus.PENDING


def test_a_decision_on_an_ended_run_is_refused() -> None:
    world, run, name = _asked()
    world.runs.finish(TENANT, run.run_id, RunStatus.CANCELLED, at=world.clock(), answer=None)
    with pytest.raises(InvalidTransition):
        world.decide(TENANT, name, "approve", by="ann")


def test_an_expired_approval_runs_only_what_needed_none() -> None:
    world, run, name = _asked()
    world.clock.advance(3600)
    assert world.asking.expire(TENANT, run.run_id, 1) == _on(FREE)
    assert world.approvals.get(TENANT, name).status is ApprovalStatus.EXPIRED
    assert world.runs.get_call(TENANT, run.run_id, 1, 1).status is CallStatus.REJECTED
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.RUNNING


def test_expire_is_repeatable() -> None:
    world, run, _ = _asked()
    world.clock.advance(3600)
    assert [world.asking.expire(TENANT, run.run_id, 1) for _ in range(2)] == [_on(FREE)] * 2


@pytest.mark.parametrize(("decision", "calls"), [("approve", BOTH), ("reject", FREE)])
def test_a_decision_that_could_not_wake_the_run_is_carried_out_by_the_expiry(
    decision: Any, calls: tuple[CallRef, ...]
) -> None:
    world, run, name = _asked()
    world.engine.dead.add("token-1")
    world.decide(TENANT, name, decision, by="ann")
    assert world.asking.expire(TENANT, run.run_id, 1) == _on(calls)


def test_a_decision_that_a_crash_cut_off_is_finished_by_the_same_decision() -> None:
    world, run, name = _asked()
    original = world.engine.complete_task

    def crash(task_token: str, output: dict[str, Any]) -> None:
        world.engine.complete_task = original  # type: ignore[method-assign]
        raise StoreUnavailable("crashed here")

    world.engine.complete_task = crash  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        world.decide(TENANT, name, "approve", by="ann")
    world.decide(TENANT, name, "approve", by="ann")
    assert _woken(world) == [_dumped(BOTH)]
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.RUNNING


@pytest.mark.parametrize(("decision", "calls"), [("approve", BOTH), ("reject", FREE)])
def test_a_retried_request_after_the_decision_goes_on_at_once(decision: Any, calls: tuple[CallRef, ...]) -> None:
    world, run, name = _asked()
    world.engine.dead.add("token-1")
    world.decide(TENANT, name, decision, by="ann")
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-2")
    assert world.engine.woken == {"token-2": _on(calls)}
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.RUNNING
