"""Ends of executions: stop, time limits, retries and payload limits; and nothing that is left behind."""

import json
import threading
from typing import Any

import pytest

from tests.twin.machine.stage import ACCOUNT, REGION, Stage, until
from twin import machine
from twin.machine import lifecycle

pytestmark = pytest.mark.twin

_LONG = 10_000_000


def _one(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "One", "States": {"One": {"End": True, **state}}, **top}


def _call(function: str, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, **fields}


_WAIT = _one({"Type": "Wait", "Seconds": _LONG})
_TOKEN = _one({**_call("quiet"), "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"})
_RETRYING = _one(_call("broken", Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 99_999_999}]))
_MAP = _one(
    {
        "Type": "Map",
        "Items": [1, 2, 3],
        "MaxConcurrency": 2,
        "ItemProcessor": {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": _LONG, "End": True}}},
    }
)
_PARALLEL = _one({"Type": "Parallel", "Branches": [{"StartAt": "One", "States": _WAIT["States"]}] * 2})
_CALLING = _one(_call("endless"))


@pytest.mark.parametrize(
    ("definition", "reached"),
    [
        (_WAIT, "WaitStateEntered"),
        (_TOKEN, "TaskSubmitted"),
        (_RETRYING, "TaskFailed"),
        (_MAP, "WaitStateEntered"),
        (_PARALLEL, "WaitStateEntered"),
        (_CALLING, "TaskStarted"),
    ],
    ids=["wait", "token", "retry", "map", "parallel", "call"],
)
def test_stop_ends_an_execution_wherever_it_waits(stage: Stage, definition: dict[str, Any], reached: str) -> None:
    release = threading.Event()
    stage.functions["quiet"] = lambda _event, _context: None
    stage.functions["endless"] = lambda _event, _context: release.wait(20)
    stage.functions["broken"] = lambda _event, _context: 1 / 0
    arn = stage.start_execution(stage.create(definition))
    until(lambda: reached in stage.types(arn))
    stage.client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause="by a test")
    ended = stage.client("stepfunctions").describe_execution(executionArn=arn)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Stopped", "by a test")
    assert ended["stopDate"] >= ended["startDate"]
    types = stage.types(arn)
    assert types[-1] == "ExecutionAborted"
    release.set()
    until(lambda: not [t for t in threading.enumerate() if t.name == "task One"])
    assert stage.types(arn) == types


def test_stopping_twice_keeps_the_first_end(stage: Stage) -> None:
    arn = stage.start_execution(stage.create(_WAIT))
    states = stage.client("stepfunctions")
    first = states.stop_execution(executionArn=arn, error="first")
    assert states.stop_execution(executionArn=arn, error="second")["stopDate"] == first["stopDate"]
    assert states.describe_execution(executionArn=arn)["error"] == "first"


@pytest.mark.parametrize("definition", [_WAIT, _TOKEN, _MAP, _PARALLEL], ids=["wait", "token", "map", "parallel"])
def test_the_time_limit_of_an_execution_ends_it(stage: Stage, definition: dict[str, Any]) -> None:
    stage.functions["quiet"] = lambda _event, _context: None
    arn = stage.start_execution(stage.create({**definition, "TimeoutSeconds": 1}))
    ended = stage.wait(arn)
    assert ended["status"] == "TIMED_OUT"
    assert ended["stopDate"] is not None
    assert stage.types(arn)[-1] == "ExecutionTimedOut"


def test_the_time_limit_of_a_task_gives_the_call_up(stage: Stage) -> None:
    release = threading.Event()
    stage.functions["endless"] = lambda _event, _context: release.wait(20)
    arn = stage.start_execution(stage.create(_one(_call("endless", TimeoutSeconds=1))))
    ended = stage.wait(arn)
    release.set()
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert stage.types(arn)[-2:] == ["TaskTimedOut", "ExecutionFailed"]


def _attempts(stage: Stage, **retrier: Any) -> tuple[int, list[float]]:
    counts: list[Any] = []

    def broken(event: Any, _context: Any) -> float:
        counts.append(event)
        return 1 / 0

    stage.functions["broken"] = broken
    definition = _one(_call("broken", Retry=[{"ErrorEquals": ["ZeroDivisionError"], **retrier}]))
    arn = stage.start_execution(stage.create(definition))
    assert stage.wait(arn)["error"] == "ZeroDivisionError"
    events = stage.events(arn)
    scheduled = [e["timestamp"].timestamp() for e in events if e["type"] == "TaskScheduled"]
    failed = [e["timestamp"].timestamp() for e in events if e["type"] == "TaskFailed"]
    return len(counts), [start - end for end, start in zip(failed, scheduled[1:], strict=False)]


def test_retries_are_counted_and_grow_by_the_backoff_rate_up_to_the_limit(stage: Stage) -> None:
    # The stage runs waits at a twentieth of their length.
    count, pauses = _attempts(stage, IntervalSeconds=4, BackoffRate=2, MaxDelaySeconds=8, MaxAttempts=3)
    assert count == 4
    assert [pause >= least for pause, least in zip(pauses, (0.19, 0.39, 0.39), strict=True)] == [True] * 3


def test_no_attempts_means_no_retry(stage: Stage) -> None:
    assert _attempts(stage, MaxAttempts=0)[0] == 1


def test_retry_count_is_in_the_context_of_an_attempt(stage: Stage) -> None:
    counts: list[Any] = []

    def broken(event: Any, _context: Any) -> Any:
        counts.append(event)
        raise ValueError(event)

    stage.functions["broken"] = broken
    task = _call("broken", Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2}])
    task["Arguments"]["Payload"] = "{% $states.context.State.RetryCount %}"
    assert stage.run(_one(task))["error"] == "ValueError"
    assert counts == [0, 1, 2]


def test_a_result_over_the_limit_is_an_error_of_its_own(stage: Stage) -> None:
    stage.functions["large"] = lambda _event, _context: "x" * 262_144
    ended = stage.run(_one(_call("large")))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.parametrize("error", ["States.DataLimitExceeded", "States.ALL"])
@pytest.mark.parametrize("bare", [False, True])
def test_a_result_over_the_limit_is_caught_by_its_name_and_by_all(stage: Stage, error: str, bare: bool) -> None:
    # As recorded on AWS for lambda:invoke and for a function's own ARN, although the documentation of States.ALL
    # calls the error terminal.
    stage.functions["large"] = lambda _event, _context: "x" * 262_144
    call = _call("large", Catch=[{"ErrorEquals": [error], "Next": "Caught", "Output": "{% $states.errorOutput %}"}])
    if bare:
        call |= {"Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:large", "Arguments": {}}
    definition = _one(call)
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}
    what = call["Resource"] if bare else "lambda"
    cause = (
        f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    arn = stage.start_execution(stage.create(definition))
    assert json.loads(stage.wait(arn)["output"]) == {"Error": "States.DataLimitExceeded", "Cause": cause}
    kind = "LambdaFunction" if bare else "Task"
    assert stage.types(arn)[2:6] == [f"{kind}Scheduled", f"{kind}Started", f"{kind}Failed", "TaskStateExited"]


def test_a_result_below_the_limit_is_counted_in_bytes_as_sent(stage: Stage) -> None:
    stage.functions["large"] = lambda _event, _context: "ü" * 130_000
    assert stage.output(_one(_call("large", Output="{% $states.result.Payload %}"))) == "ü" * 130_000


def test_an_output_over_the_limit_is_the_same_error(stage: Stage) -> None:
    definition = _one({"Type": "Pass", "Output": "{% $pad('', 262145, 'x') %}"})
    assert stage.run(definition)["error"] == "States.DataLimitExceeded"


@pytest.mark.parametrize("shape", ["loop", "map"])
def test_a_full_history_fails_the_execution(stage: Stage, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "max_events", 50)
    loop = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    definition = {"StartAt": "A", "States": loop} if shape == "loop" else {**_MAP}
    if shape == "map":
        each = {**_MAP["States"]["One"], "ItemProcessor": {"StartAt": "A", "States": loop}}
        definition = {**_MAP, "States": {"One": each}}
    ended = stage.run(definition)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "maximum number of history events" in ended["cause"]
    assert len(stage.events(ended["executionArn"])) == 50


def test_hundreds_of_executions_can_wait_and_all_end_with_the_twin(stage: Stage) -> None:
    stage.functions["quiet"] = lambda _event, _context: None
    arn = stage.create(_TOKEN)
    started = [stage.start_execution(arn) for _ in range(300)]
    until(lambda: stage.types(started[-1])[-1] == "TaskSubmitted", 60)
    states = stage.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter="RUNNING")
    assert sum(len(page["executions"]) for page in pages) == 300
    assert machine.stop_all() >= 300
    assert {states.describe_execution(executionArn=e)["status"] for e in started} == {"ABORTED"}
    left = ("execution ", "task ", "map ", "parallel ")
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith(left)], 20)


def test_many_executions_at_once_all_succeed(stage: Stage) -> None:
    stage.functions["double"] = lambda event, _context: event * 2
    arn = stage.create(_one(_call("double", Output="{% $states.result.Payload %}")))
    started = {number: stage.start_execution(arn, number) for number in range(40)}
    assert {number: json.loads(stage.wait(e, 60)["output"]) for number, e in started.items()} == {
        number: number * 2 for number in range(40)
    }
