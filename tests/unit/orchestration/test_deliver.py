"""The end of runs and of calls that died."""

import json

import pytest

from pentad.domain.errors import NotFound
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Passage
from pentad.domain.runs import ApprovalStatus, CallStatus, Run, RunStatus

from .world import TENANT, World


def _answered(answer: str, *, degraded: bool = False) -> tuple[World, Run]:
    world = World()
    world.model.script = [answer]
    world.model.degraded = degraded
    run = world.begin(session="s1")
    world.turn(run)
    return world, run


def _passage() -> Passage:
    return Passage(
        passage_id="p1",
        document="a.md",
        version="1",
        title="A",
        text="Two and two is four.",
        start=0,
        end=20,
        score=0.9,
    )


def test_an_answer_ends_the_run_and_frees_the_session() -> None:
    world, run = _answered("4")
    ended = world.deliver.deliver(TENANT, run.run, 1)
    assert (ended.status, ended.answer, ended.ended_at) == (RunStatus.SUCCEEDED, "4", world.clock())
    assert world.runs.lease_holder(TENANT, "s1") is None


def test_a_repeat_returns_what_is_stored() -> None:
    world, run = _answered("4")
    first = world.deliver.deliver(TENANT, run.run, 1)
    world.clock.advance(5)
    assert world.deliver.deliver(TENANT, run.run, 1) == first


def test_the_end_is_published() -> None:
    world, run = _answered("4")
    world.deliver.deliver(TENANT, run.run, 1)
    [(kind, detail)] = world.events.published
    assert (kind, detail["run"], detail["status"]) == ("pentad.run.finished", run.run, "succeeded")


def test_nothing_of_the_conversation_is_published() -> None:
    world, run = _answered("the secret answer")
    world.deliver.deliver(TENANT, run.run, 1)
    assert "secret" not in json.dumps(world.events.published)


def test_markers_are_resolved_to_passages() -> None:
    world = World()
    world.model.script = ["It is 4 [1]."]
    run = world.begin(session="s1")
    world.sessions.attach_passages(TENANT, "s1", 0, [_passage()])
    world.turn(run)
    ended = world.deliver.deliver(TENANT, run.run, 1)
    assert [(one.marker, one.document) for one in ended.citations] == [("[1]", "a.md")]


def test_markers_that_point_nowhere_are_dropped_with_a_notice() -> None:
    world, run = _answered("It is 4 [7].")
    ended = world.deliver.deliver(TENANT, run.run, 1)
    assert (ended.answer, ended.citations) == ("It is 4.", ())
    assert "[7]" in ended.notices[0]


def test_a_degraded_answer_ends_as_degraded_with_its_notice() -> None:
    world, run = _answered("Sorry.", degraded=True)
    ended = world.deliver.deliver(TENANT, run.run, 1)
    assert (ended.status, ended.notices) == (RunStatus.DEGRADED, ("No model is available.",))


def test_a_stop_ends_as_stopped_with_its_reason() -> None:
    world = World()
    run = world.begin()
    world.clock.advance(1000)
    world.turn(run)
    ended = world.deliver.deliver(TENANT, run.run, 1)
    assert ended.status is RunStatus.STOPPED
    assert ended.stop_reason == ended.answer == "The run was stopped: the run has used its 600 seconds."


def test_a_run_without_the_step_is_not_delivered() -> None:
    world = World()
    run = world.begin()
    with pytest.raises(NotFound):
        world.deliver.deliver(TENANT, run.run, 1)


def test_abort_fails_the_run_and_frees_the_session() -> None:
    world = World()
    run = world.begin(session="s1")
    cause = json.dumps({"errorMessage": "the table did not answer", "errorType": "StoreUnavailable"})
    ended = world.deliver.abort(TENANT, run.run, "StoreUnavailable", cause)
    assert (ended.status, ended.error) == (RunStatus.FAILED, "StoreUnavailable: the table did not answer")
    assert world.runs.lease_holder(TENANT, "s1") is None


@pytest.mark.parametrize("cause", ['{"errorMessage": "key sk-123"}', "Traceback: secret", "", '{"errorMes'])
def test_abort_tells_nothing_of_an_unexpected_error(cause: str) -> None:
    world = World()
    run = world.begin()
    ended = world.deliver.abort(TENANT, run.run, "KeyError", cause)
    assert ended.error == "KeyError: an unexpected error; the function's log has it"


def test_abort_after_the_end_changes_nothing() -> None:
    world, run = _answered("4")
    first = world.deliver.deliver(TENANT, run.run, 1)
    assert world.deliver.abort(TENANT, run.run, "States.Timeout", "") == first


def test_abort_closes_a_pending_approval() -> None:
    world = World()
    world.model.script = [[("notes", {"title": "a"})]]
    run = world.begin()
    world.turn(run)
    world.asking.request(TENANT, run.run, 1, "token-1")
    world.deliver.abort(TENANT, run.run, "States.Runtime", "")
    assert world.approvals.get(TENANT, approval_id(run.run, 1)).status is ApprovalStatus.EXPIRED
    assert world.approvals.pending(TENANT).items == ()


def test_a_failed_call_is_an_error_result() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    world.turn(run)
    cause = json.dumps({"errorMessage": "the backend did not answer", "errorType": "ToolUnavailable"})
    world.deliver.call_failed(TENANT, run.run, 1, 0, "ToolUnavailable", cause)
    call = world.runs.call(TENANT, run.run, 1, 0)
    assert (call.status, call.is_error, call.error_type) == (CallStatus.FAILED, True, "ToolUnavailable")
    assert "the backend did not answer" in (call.result or "")


def test_a_call_that_had_ended_keeps_its_result() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    world.act(run, world.turn(run))
    kept = world.deliver.call_failed(TENANT, run.run, 1, 0, "Sandbox.Timedout", "")
    assert (kept.status, kept.result) == (CallStatus.SUCCEEDED, "4")
