"""Map and Parallel: order, bounds, what one failure does to the others."""

import threading
from typing import Any

import pytest

from tests.twin.machine.stage import Stage, until

pytestmark = pytest.mark.twin


def _task(function: str, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": arguments,
        "Output": "{% $states.result.Payload %}",
        **({} if "Next" in fields else {"End": True}),
        **fields,
    }


def _map(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    each = {
        "Type": "Map",
        "Items": "{% $states.input %}",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "P", "States": {"P": state}},
        "End": True,
        **fields,
    }
    caught = {"Type": "Pass", "Output": "{% $states.input.Error %}", "End": True}
    states = {"Each": each, **({"Caught": caught} if "Catch" in each else {})}
    return {"QueryLanguage": "JSONata", "StartAt": "Each", "States": states}


def _parallel(*states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    branches = [{"StartAt": "P", "States": {"P": state}} for state in states]
    both = {"Type": "Parallel", "Branches": branches, "End": True, **fields}
    caught = {"Type": "Pass", "Output": "{% $states.input.Error %}", "End": True}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Both",
        "States": {"Both": both, **({"Caught": caught} if "Catch" in both else {})},
    }


_ECHO = {"Type": "Pass", "End": True}
_CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}


def test_results_keep_the_order_of_the_items(stage: Stage) -> None:
    assert stage.output(_map(_ECHO), list(range(50))) == list(range(50))


def test_no_items_give_no_results(stage: Stage) -> None:
    assert stage.output(_map(_ECHO), []) == []


def test_a_thousand_items_one_after_the_other_do_not_exhaust_the_stack(stage: Stage) -> None:
    assert stage.output(_map(_ECHO, MaxConcurrency=1), list(range(1000))) == list(range(1000))


def test_max_concurrency_bounds_what_runs_at_once(stage: Stage) -> None:
    lock, running, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=10)

    def count(event: Any, _context: Any) -> Any:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait()
        with lock:
            running[0] -= 1
        return event

    stage.functions["count"] = count
    assert stage.output(_map(_task("count"), MaxConcurrency=2), list(range(6))) == list(range(6))
    assert most[0] == 2


class Fuse:
    """A function that answers when the test says so: once that is under way which the failure behind it is to stop."""

    def __init__(self) -> None:
        self._burns = threading.Event()

    def __call__(self, _event: Any, _context: Any) -> None:
        assert self._burns.wait(30)

    def burn_at(self, stage: Stage, execution_arn: str, kind: str, count: int) -> None:
        """Let it answer once there are so many events of a kind."""
        until(lambda: stage.types(execution_arn).count(kind) == count)
        self._burns.set()


def test_a_failed_iteration_aborts_the_others_and_fails_the_map(stage: Stage) -> None:
    stage.functions["fuse"] = fuse = Fuse()
    stage.functions["broken"] = lambda _event, _context: 1 / 0
    choose = {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input = 0 %}", "Next": "Fuse"}],
            "Default": "Wait",
        },
        "Fuse": _task("fuse", Next="P"),
        "P": _task("broken"),
        "Wait": {"Type": "Wait", "Seconds": 10_000_000, "End": True},
    }
    definition = _map(_ECHO)
    definition["States"]["Each"]["ItemProcessor"].update({"StartAt": "Choose", "States": choose})
    arn = stage.start_execution(stage.create(definition), [1, 0, 2])
    fuse.burn_at(stage, arn, "MapIterationStarted", 3)
    ended = stage.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "ZeroDivisionError")
    types = stage.types(arn)
    assert types[-2:] == ["MapStateFailed", "ExecutionFailed"]
    assert (types.count("MapIterationFailed"), types.count("MapIterationAborted")) == (1, 2)


@pytest.mark.parametrize("shape", [_map, _parallel], ids=["map", "parallel"])
def test_a_reserved_error_name_leaves_a_branch_unchanged(stage: Stage, shape: Any) -> None:
    failing = {"Type": "Fail", "Error": "States.Timeout", "Cause": "as if"}
    assert stage.output(shape(failing, **_CATCH), [1]) == "States.Timeout"


def test_variables_of_a_branch_do_not_leak(stage: Stage) -> None:
    definition = _parallel(
        {"Type": "Pass", "Assign": {"mine": 1}, "Output": "{% $outer %}", "End": True},
        {"Type": "Pass", "Output": "{% $exists($mine) %}", "End": True},
    )
    definition["States"]["Set"] = {"Type": "Pass", "Assign": {"outer": "seen"}, "Next": "Both"}
    definition["StartAt"] = "Set"
    assert stage.output(definition) == ["seen", False]


def test_a_failed_branch_stops_a_waiting_one(stage: Stage) -> None:
    stage.functions["fuse"] = fuse = Fuse()
    definition = _parallel({"Type": "Wait", "Seconds": 10_000_000, "End": True}, _task("fuse", Next="Fail"))
    fail = {"Type": "Fail", "Error": "Broken", "Cause": "c"}
    definition["States"]["Both"]["Branches"][1]["States"]["Fail"] = fail
    arn = stage.start_execution(stage.create(definition))
    fuse.burn_at(stage, arn, "WaitStateEntered", 1)
    assert stage.wait(arn)["error"] == "Broken"
    assert stage.types(arn)[-3:] == ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]


def test_a_parallel_state_is_retried_as_a_whole(stage: Stage) -> None:
    counts: list[int] = []

    def second_time(_event: Any, _context: Any) -> Any:
        counts.append(1)
        if len(counts) == 1:
            raise ValueError("first")
        return len(counts)

    stage.functions["second"] = second_time
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    assert stage.output(_parallel(_task("second"), _ECHO, Retry=retry), "in") == [2, "in"]


def test_a_caught_evaluation_error_within_a_map_is_told_once(stage: Stage) -> None:
    broken = {"Type": "Pass", "Output": "{% $nothing %}", "End": True}
    arn = stage.start_execution(stage.create(_map(broken)), [1])
    cause = stage.wait(arn)["cause"]
    assert cause.count("An error occurred while executing the state") == 1
    assert "the state 'P'" in cause


def test_the_position_of_an_item_is_known_inside_its_iteration(stage: Stage) -> None:
    stage.functions["echo"] = lambda event, _context: event
    task = _task("echo")
    task["Arguments"]["Payload"] = "{% $states.context.Map.Item.Index %}"
    assert stage.output(_map(task), ["a", "b"]) == [0, 1]


def test_the_arguments_of_a_parallel_state_are_the_input_of_its_branches(stage: Stage) -> None:
    definition = _parallel(_ECHO, _ECHO, Arguments={"x": "{% $states.input.y %}"})
    assert stage.output(definition, {"y": 1}) == [{"x": 1}, {"x": 1}]
