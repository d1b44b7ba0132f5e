"""Something goes wrong in a state: the run ends in a defined state, the lease is free, and nothing is doubled."""

from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace

import pytest
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl

from pentad.domain.errors import SessionBusy
from pentad.domain.runs import CallStatus, Run, RunStatus
from tests.twin.machine.loop.deployment import FOR_GOOD, KINDS, Deployment, Fault, booked, check_end
from tests.twin.machine.stage import Stage, short_waits, until
from tests.unit.orchestration.world import TENANT
from twin.machine import lifecycle

pytestmark = pytest.mark.twin

STATES = ("Recall", "Think", "Call", "AwaitHuman", "Deliver")
NOT_TOLD = ("AwaitHuman", "bad_json", False)
"""Nobody was asked, and the task does not look at the function's answer: it waits until its time is over."""
NOT_DELIVERED = ("Deliver", "bad_json", False)
"""No state comes after Deliver: the execution fails, and the next run of the session ends this one."""


@pytest.fixture(autouse=True)
def _waits(stage: Stage) -> Iterator[None]:
    with short_waits():
        yield


def begun(stage: Stage, patch: pytest.MonkeyPatch, **faults: Fault) -> tuple[Deployment, Run]:
    """Start a run that passes every state: tools, a human, an answer."""
    deployment = Deployment(stage, patch)
    deployment.world.model.script = [
        [("look_up", {"word": "seat"}), ("book", {"seat": "1a"})],
        [("keep", {"title": "receipt"})],
        "Booked.",
    ]
    deployment.faults.update(faults)
    return deployment, deployment.start(session="s1")


@pytest.mark.parametrize("after", [False, True], ids=["unreached", "answer-lost"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bad_json"])
@pytest.mark.parametrize("state", STATES)
def test_a_fault_that_passes_is_not_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, state: str, kind: str, after: bool
) -> None:
    deployment, run = begun(stage, monkeypatch, **{state: Fault(kind, after=after)})
    deployment.decide(run, 2)
    ended = deployment.ended(run)
    check_end(deployment, run)
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "Booked.", 3)
    assert booked == ["1a"]


@pytest.mark.parametrize(
    ("state", "kind", "after"),
    [case for case in product(STATES, KINDS, (False, True)) if case not in {NOT_TOLD, NOT_DELIVERED}],
)
def test_a_fault_for_good_ends_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, state: str, kind: str, after: bool
) -> None:
    deployment, run = begun(stage, monkeypatch, **{state: Fault(kind, FOR_GOOD, after)})
    deployment.decide(run, 2)
    ended = deployment.ended(run)
    check_end(deployment, run)
    assert booked in ([], ["1a"])
    if state == "Call":
        # A tool that is down is the model's affair: it is told, and the run goes on.
        assert (ended.status, ended.answer) == (RunStatus.SUCCEEDED, "Booked.")
        statuses = {call.status for call in deployment.world.runs.list_calls(TENANT, run.run_id)}
        assert statuses <= {CallStatus.FAILED, CallStatus.SUCCEEDED, CallStatus.PENDING, CallStatus.APPROVED}


def test_runs_wait_while_lambda_has_no_room_for_a_tools_function_for_a_minute(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale, runs = 0.01, 50
    lifecycle.set_time_scale(scale)
    # Waits are as long as they are on average; at random one call in thousands has used its tries up.
    monkeypatch.setattr(jitter_strategy_decl, "random", SimpleNamespace(uniform=lambda low, high: (low + high) / 2))
    deployment = Deployment(stage, monkeypatch)
    deployment.functions.seconds = 60 * scale
    deployment.world.model.script = [[("book", {"seat": str(number)})] for number in range(runs)] + ["Booked."] * runs
    started = [deployment.start(session=f"s{number}") for number in range(runs)]
    ended = [deployment.ended(run) for run in started]
    assert {(run.status, run.answer) for run in ended} == {(RunStatus.SUCCEEDED, "Booked.")}
    calls = [call for run in started for call in deployment.world.runs.list_calls(TENANT, run.run_id)]
    assert {call.status for call in calls} == {CallStatus.SUCCEEDED}
    assert sorted(booked, key=int) == [str(number) for number in range(len(calls))]
    assert deployment.functions.refused >= len(calls), "each was refused at first"
    for run in started:
        check_end(deployment, run)


def test_a_call_for_which_lambda_never_has_room_is_told_to_the_model(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, run = begun(stage, monkeypatch)
    deployment.functions.seconds = 3600
    deployment.decide(run, 2)
    assert deployment.ended(run).status is RunStatus.SUCCEEDED
    check_end(deployment, run)
    [first, *_] = deployment.world.runs.list_calls(TENANT, run.run_id)
    assert (first.error_type, first.result) == ("ToolBusy", "The tool failed (ToolBusy): no room")
    assert booked == []


@pytest.mark.parametrize("after", [False, True], ids=["unreached", "answer-lost"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [1, FOR_GOOD], ids=["once", "for-good"])
def test_a_call_whose_end_cannot_be_stored_ends_the_run_or_the_call(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, times: int, after: bool
) -> None:
    deployment, run = begun(stage, monkeypatch, Call=Fault("kill", FOR_GOOD), CallFailed=Fault(kind, times, after))
    deployment.decide(run, 2)
    ended = deployment.ended(run)
    check_end(deployment, run)
    assert booked == []
    assert ended.status in {RunStatus.SUCCEEDED, RunStatus.FAILED}


@pytest.mark.parametrize("after", [False, True], ids=["unreached", "answer-lost"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [1, FOR_GOOD], ids=["once", "for-good"])
def test_a_fault_when_the_time_of_a_human_is_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, times: int, after: bool
) -> None:
    deployment, run = begun(stage, monkeypatch, Expire=Fault(kind, times, after))
    world = deployment.world
    until(lambda: world.approvals.list_pending(TENANT).items, 30)
    [approval] = world.approvals.list_pending(TENANT).items
    world.clock.advance(deployment.agent.approval_seconds + 1)
    # What Step Functions does at the end of the task's time, without waiting for it.
    stage.client("stepfunctions").send_task_failure(
        taskToken=world.approvals.get_token(TENANT, approval.approval_id), error="States.Timeout", cause=""
    )
    ended = deployment.ended(run)
    check_end(deployment, run)
    assert ended.status in {RunStatus.SUCCEEDED, RunStatus.STOPPED, RunStatus.FAILED}


@pytest.mark.parametrize("after", [False, True], ids=["unreached", "answer-lost"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bad_json"])
def test_an_abort_that_is_disturbed_still_ends_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, after: bool
) -> None:
    deployment, run = begun(stage, monkeypatch, Think=Fault("kill", FOR_GOOD), Abort=Fault(kind, times=2, after=after))
    ended = deployment.ended(run)
    check_end(deployment, run)
    assert (ended.status, (ended.error or "").split(":")[0]) == (RunStatus.FAILED, "Runtime.ExitError")


@pytest.mark.parametrize(
    "faults",
    [*({"Think": "kill", "Abort": kind} for kind in KINDS), {"Deliver": "bad_json"}],
    ids=lambda faults: "-".join(f"{state}-{kind}" for state, kind in faults.items()),
)
def test_a_run_that_its_own_execution_could_not_end_is_ended_by_the_next_one_of_its_session(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, faults: dict[str, str]
) -> None:
    deployment, run = begun(stage, monkeypatch, **{state: Fault(kind, FOR_GOOD) for state, kind in faults.items()})
    deployment.decide(run, 2)
    world = deployment.world
    assert stage.wait(deployment.execution(run))["status"] == "FAILED"
    deployment.faults.clear()
    world.model.script = ["Hello."]

    def next_run() -> Run | None:
        try:
            return deployment.start("Hello?", session="s1")
        except SessionBusy:
            return None

    again: Run = until(next_run, 10)
    assert deployment.ended(again).status is RunStatus.SUCCEEDED
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.FAILED
