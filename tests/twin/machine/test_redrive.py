"""Redrives: what has failed is done again with the input that it had, and what has succeeded is not."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Queue
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.machine.stage import Stage, until
from twin.machine import executions, lifecycle, status

pytestmark = pytest.mark.twin


class _Functions:
    """Functions that fail until they are mended, and count their calls."""

    def __init__(self, stage: Stage) -> None:
        self.is_broken = True
        self._stage, self._arn, self._exits = stage, Queue[str](), list[int]()
        self.calls: Counter[str] = Counter()
        stage.functions["fine"] = self._answer
        stage.functions["broken"] = self._fail

    def _answer(self, event: Any, _context: Any) -> Any:
        self.calls[json.dumps(event, sort_keys=True)] += 1
        return event

    def hold(self, *exits: int) -> None:
        """Let each call of the broken function fail only when so many tasks have exited."""
        self._exits = list(exits)

    def start(self, definition: dict[str, Any]) -> str:
        """Start an execution, whose tasks are those that are counted."""
        arn = self._stage.start_execution(self._stage.create(definition))
        self._arn.put(arn)
        return arn

    def _fail(self, event: Any, _context: Any) -> Any:
        self._answer(event, None)
        if self._exits:
            arn, wanted = self._arn.get(timeout=10), self._exits.pop(0)
            until(lambda: self._stage.types(arn).count("TaskStateExited") >= wanted)
            self._arn.put(arn)
        if self.is_broken:
            raise ZeroDivisionError("not yet")
        return {"mended": event}


@pytest.fixture
def functions(stage: Stage) -> _Functions:
    return _Functions(stage)


def _call(function: str, payload: Any, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": payload}
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Output": "{% $states.result.Payload %}"} | (
        fields or {"End": True}
    )


def _part(states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def _machine(states: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **_part(states), **top}


def _redrive(stage: Stage, arn: str, **named: Any) -> dict[str, Any]:
    stage.client("stepfunctions").redrive_execution(executionArn=arn, **named)
    return stage.wait(arn)


def _refused(stage: Stage, arn: str) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        stage.client("stepfunctions").redrive_execution(executionArn=arn)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


_TWO = _machine(
    {
        "First": _call("fine", {"first": "{% $states.input.n %}"}, Assign={"kept": "é\n"}, Next="Second"),
        "Second": _call(
            "broken",
            {"second": "{% $states.input.first %}", "kept": "{% $kept %}"},
            Retry=[{"ErrorEquals": ["ZeroDivisionError"], "MaxAttempts": 1, "IntervalSeconds": 1}],
            Output={"told": "{% $states.result.Payload %}", "times": "{% $states.context.Execution.RedriveCount %}"},
            End=True,
        ),
    }
)


def test_an_execution_goes_on_at_the_state_that_failed_with_its_input(stage: Stage, functions: _Functions) -> None:
    arn = stage.start_execution(stage.create(_TWO), {"n": 7})
    failed = stage.wait(arn)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    assert "redriveDate" not in failed
    assert _redrive(stage, arn)["status"] == "FAILED"
    functions.is_broken = False
    ended = _redrive(stage, arn)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"told": {"mended": {"second": 7, "kept": "é\n"}}, "times": 2}
    assert (ended["redriveCount"], ended["redriveStatus"]) == (2, "NOT_REDRIVABLE")
    assert ended["redriveDate"] >= failed["stopDate"]
    # Retries are counted anew: two attempts, two more, and the one that succeeds.
    assert dict(functions.calls) == {'{"first": 7}': 1, '{"kept": "\\u00e9\\n", "second": 7}': 5}


def test_the_history_goes_on(stage: Stage, functions: _Functions) -> None:
    arn = stage.start_execution(stage.create(_TWO), {"n": 7})
    stage.wait(arn)
    before = stage.events(arn)
    functions.is_broken = False
    _redrive(stage, arn)
    events = stage.events(arn)
    assert events[: len(before)] == before
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    redriven, scheduled = events[len(before) : len(before) + 2]
    assert redriven["type"] == "ExecutionRedriven"
    assert redriven["previousEventId"] == before[-1]["id"]
    assert redriven["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert scheduled["type"] == "TaskScheduled"
    assert events[-1]["type"] == "ExecutionSucceeded"
    assert [event["type"] for event in events].count("TaskStateEntered") == 2


_BRANCHES = _machine(
    {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                _part({"A": _call("fine", {"branch": "a"})}),
                _part(
                    {
                        "B": _call("fine", {"branch": "b"}, Assign={"inner": 3}, Next="C"),
                        "C": {
                            "Type": "Map",
                            "Items": [0, 1, 2],
                            "MaxConcurrency": 1,
                            "ItemProcessor": _part(
                                {
                                    "D": {
                                        "Type": "Choice",
                                        "Choices": [{"Condition": "{% $states.input = 1 %}", "Next": "E"}],
                                        "Default": "F",
                                    },
                                    "E": _call("broken", {"item": "{% $states.input + $inner %}"}),
                                    "F": _call("fine", {"item": "{% $states.input %}"}),
                                }
                            ),
                            "End": True,
                        },
                    }
                ),
            ],
            "End": True,
        }
    }
)


def test_branches_and_iterations_that_have_succeeded_are_not_done_again(stage: Stage, functions: _Functions) -> None:
    functions.hold(3)  # the first branch, what is before the Map, and its first iteration
    arn = functions.start(_BRANCHES)
    stage.wait(arn)
    done = Counter(functions.calls)
    assert done['{"item": 0}'] == 1
    functions.is_broken = False
    ended = _redrive(stage, arn)
    assert json.loads(ended["output"]) == [{"branch": "a"}, [{"item": 0}, {"mended": {"item": 4}}, {"item": 2}]]
    assert functions.calls - done == Counter({'{"item": 4}': 1, '{"item": 2}': 1})


def test_a_retry_after_a_redrive_does_all_branches_again(stage: Stage, functions: _Functions) -> None:
    both = {
        "Type": "Parallel",
        "Branches": [_part({"A": _call("fine", {"a": 1})}), _part({"B": _call("broken", {"b": 1})})],
        "Retry": [{"ErrorEquals": ["ZeroDivisionError"], "MaxAttempts": 1, "IntervalSeconds": 1}],
        "End": True,
    }
    functions.hold(1, 2, 2, 3)  # the other branch is done each time, but for the attempt that does not run it
    arn = functions.start(_machine({"Both": both}))
    stage.wait(arn)
    assert functions.calls['{"b": 1}'] == 2
    _redrive(stage, arn)
    # The branch that had succeeded is not run by the redrive, and is by the attempt after it.
    assert dict(functions.calls) == {'{"a": 1}': 3, '{"b": 1}': 4}


def test_what_was_too_large_together_is_done_again(stage: Stage, functions: _Functions) -> None:
    stage.functions["large"] = lambda event, _context: functions._answer(event, None) and "x" * 150_000
    branch = _part({"L": _call("large", {"large": 1})})
    arn = stage.start_execution(
        stage.create(_machine({"Both": {"Type": "Parallel", "Branches": [branch, branch], "End": True}}))
    )
    assert stage.wait(arn)["error"] == "States.DataLimitExceeded"
    stage.functions["large"] = functions._answer
    assert json.loads(_redrive(stage, arn)["output"]) == [{"large": 1}, {"large": 1}]
    assert functions.calls['{"large": 1}'] == 4


def test_a_fail_state_is_entered_and_fails_again(stage: Stage) -> None:
    arn = stage.start_execution(stage.create(_machine({"F": {"Type": "Fail", "Error": "Wrong", "Cause": "always"}})))
    stage.wait(arn)
    again = _redrive(stage, arn)
    assert (again["status"], again["error"], again["cause"]) == ("FAILED", "Wrong", "always")
    assert stage.types(arn)[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]


def test_what_was_stopped_or_timed_out_goes_on_and_its_time_begins_anew(stage: Stage, functions: _Functions) -> None:
    token = {**_call("fine", {"token": "{% $states.context.Task.Token %}"}), "Output": "{% $states.result %}"}
    token["Resource"] += ".waitForTaskToken"
    arn = stage.start_execution(stage.create(_machine({"Wait": token}, TimeoutSeconds=2)))
    states = stage.client("stepfunctions")
    until(lambda: len(functions.calls) == 1)
    states.stop_execution(executionArn=arn)
    states.redrive_execution(executionArn=arn)
    ended = stage.wait(arn)
    assert (ended["status"], ended["redriveCount"]) == ("TIMED_OUT", 1)
    states.redrive_execution(executionArn=arn)
    until(lambda: len(functions.calls) == 3)
    tokens = [json.loads(call)["token"] for call in functions.calls]
    for spent in tokens[:2]:
        with pytest.raises(ClientError, match="TaskTimedOut"):
            states.send_task_success(taskToken=spent, output="1")
    states.send_task_success(taskToken=tokens[2], output='"answered"')
    assert (stage.wait(arn)["status"], stage.wait(arn)["output"]) == ("SUCCEEDED", '"answered"')


def _distributed(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a machine whose child executions call one function each, and those of odd numbers a broken one after."""
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.n % 2 = 1 %}", "Next": "Odd"}],
        "Default": "Even",
    }
    states = {
        "All": _call("fine", {"n": "{% $states.input %}"}, Next="Which"),
        "Which": choice,
        "Odd": _call("broken", {"odd": "{% $states.input.n %}"}),
        "Even": {"Type": "Succeed"},
    }
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **_part(states)}
    items = {"Items": [0, 1, 2, 3, 4], "MaxConcurrency": 1}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True, **items, **fields}
    return _machine({"M": state})


def _describe_run(stage: Stage, arn: str) -> dict[str, Any]:
    client = stage.client("stepfunctions")
    (listed,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    found: dict[str, Any] = client.describe_map_run(mapRunArn=listed["mapRunArn"])
    return found


def test_a_map_run_goes_on_with_the_child_executions_that_did_not_succeed(stage: Stage, functions: _Functions) -> None:
    arn = functions.start(_distributed("STANDARD", ToleratedFailureCount=1))
    assert stage.wait(arn)["error"] == "States.ExceedToleratedFailureThreshold"
    before = _describe_run(stage, arn)
    assert (before["status"], before["itemCounts"]["succeeded"], before["itemCounts"]["failed"]) == ("FAILED", 2, 2)
    functions.is_broken = False
    ended = _redrive(stage, arn)
    odd = [{"mended": {"odd": number}} for number in (1, 3)]
    assert json.loads(ended["output"]) == [{"n": 0}, odd[0], {"n": 2}, odd[1], {"n": 4}]
    # What a failed child execution had done already is not done again; nor is one that had succeeded.
    assert {call: count for call, count in functions.calls.items() if "odd" not in call} == {
        f'{{"n": {number}}}': 1 for number in range(5)
    }
    assert {functions.calls[f'{{"odd": {number}}}'] for number in (1, 3)} == {2}
    after = _describe_run(stage, arn)
    assert (after["mapRunArn"], after["redriveCount"], after["status"]) == (before["mapRunArn"], 1, "SUCCEEDED")
    counts = [after[field] for field in ("itemCounts", "executionCounts")]
    assert [(one["total"], one["succeeded"], one["failed"], one["pending"]) for one in counts] == [(5, 5, 0, 0)] * 2
    assert stage.types(arn)[-6:-1] == [
        *("ExecutionRedriven", "MapRunRedriven", "MapRunSucceeded", "MapStateSucceeded", "MapStateExited")
    ]


def test_express_child_executions_that_failed_begin_anew(stage: Stage, functions: _Functions) -> None:
    arn = functions.start(_distributed("EXPRESS"))
    stage.wait(arn)
    functions.is_broken = False
    assert len(json.loads(_redrive(stage, arn)["output"])) == 5
    assert [functions.calls[f'{{"n": {number}}}'] for number in range(5)] == [1, 2, 1, 1, 1]


def test_a_map_run_that_fails_again_can_be_redriven_again(stage: Stage, functions: _Functions) -> None:
    arn = functions.start(_distributed("STANDARD"))
    stage.wait(arn)
    assert _redrive(stage, arn)["status"] == "FAILED"
    assert functions.calls['{"n": 0}'] == 1 and functions.calls['{"odd": 1}'] == 2
    functions.is_broken = False
    assert len(json.loads(_redrive(stage, arn)["output"])) == 5
    assert (functions.calls['{"n": 1}'], _describe_run(stage, arn)["redriveCount"]) == (1, 2)


def test_a_retry_of_a_distributed_map_is_a_new_map_run(stage: Stage, functions: _Functions) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    arn = functions.start(_distributed("STANDARD", Retry=retry))
    stage.wait(arn)
    assert functions.calls['{"n": 0}'] == 2
    assert len(stage.client("stepfunctions").list_map_runs(executionArn=arn)["mapRuns"]) == 2


def test_of_many_redrives_at_once_one_is_done(stage: Stage, functions: _Functions) -> None:
    arn = stage.start_execution(stage.create(_machine({"W": {"Type": "Wait", "Seconds": 99_999_999, "End": True}})))
    stage.client("stepfunctions").stop_execution(executionArn=arn)

    def redrive(_index: int) -> str:
        try:
            stage.client("stepfunctions").redrive_execution(executionArn=arn)
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return "redriven"

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(redrive, range(8)))
    assert answers == {"redriven": 1, "Execution is RUNNING and cannot be redriven": 7}
    stage.client("stepfunctions").stop_execution(executionArn=arn)
    assert stage.types(arn).count("ExecutionRedriven") == 1


def test_a_clients_token_redrives_once(stage: Stage, functions: _Functions) -> None:
    arn = stage.start_execution(stage.create(_TWO), {"n": 1})
    stage.wait(arn)
    states = stage.client("stepfunctions")
    first = states.redrive_execution(executionArn=arn, clientToken="a")["redriveDate"]
    stage.wait(arn)
    assert states.redrive_execution(executionArn=arn, clientToken="a")["redriveDate"] == first
    assert stage.wait(arn)["redriveCount"] == 1
    assert states.redrive_execution(executionArn=arn, clientToken="b")["redriveDate"] >= first
    assert stage.wait(arn)["redriveCount"] == 2


def test_what_cannot_be_redriven_is_refused_with_its_reason(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = stage.start_execution(stage.create(_machine({"P": {"Type": "Pass", "End": True}})))
    stage.wait(passed)
    assert _refused(stage, passed) == ("ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven")
    failed = stage.start_execution(stage.create(_machine({"F": {"Type": "Fail"}})))
    stage.wait(failed)
    with monkeypatch.context() as small:
        small.setattr(lifecycle, "max_events", len(stage.events(failed)) + 1)
        assert _refused(stage, failed) == ("ExecutionNotRedrivable", "Execution history event limit exceeded")
    execution = executions.find(failed)
    execution.stop_date -= timedelta(days=14, seconds=1)
    assert _refused(stage, failed) == ("ExecutionNotRedrivable", "Execution redrivable period exceeded")
    execution.stop_date += timedelta(seconds=5)
    assert _redrive(stage, failed)["redriveCount"] == 1
    execution.start_date -= timedelta(days=366)
    assert _refused(stage, failed) == ("ExecutionNotRedrivable", "Execution has exceeded the max execution time")
    assert _refused(stage, failed.replace("machine-", "other-"))[0] == "ExecutionDoesNotExist"
    assert _refused(stage, failed.replace(":execution:", ":express:"))[0] == "InvalidArn"


def test_redriven_executions_are_listed_and_told_of(stage: Stage) -> None:
    told: list[dict[str, Any]] = []
    machine = stage.create(_machine({"F": {"Type": "Fail"}}))
    status.listen(told.append)
    try:
        redriven, other = stage.start_execution(machine), stage.start_execution(machine)
        for arn in (redriven, other):
            stage.wait(arn)
        _redrive(stage, redriven)
        until(lambda: len([one for one in told if one["executionArn"] == redriven]) == 4)
    finally:
        status.listen(None)
    of_it = [one for one in told if one["executionArn"] == redriven]
    assert [(one["status"], one["redriveCount"]) for one in of_it] == [
        ("RUNNING", 0),
        ("FAILED", 0),
        ("RUNNING", 1),
        ("FAILED", 1),
    ]
    assert of_it[2]["redriveStatus"] == "NOT_REDRIVABLE"
    assert of_it[2]["redriveDate"] >= of_it[1]["stopDate"]
    states = stage.client("stepfunctions")

    def names(**named: Any) -> list[tuple[str, int]]:
        found = states.list_executions(stateMachineArn=machine, **named)["executions"]
        return [(one["executionArn"], one["redriveCount"]) for one in found]

    assert names(redriveFilter="REDRIVEN") == [(redriven, 1)]
    assert names(redriveFilter="NOT_REDRIVEN") == [(other, 0)]
    assert len(names()) == 2
