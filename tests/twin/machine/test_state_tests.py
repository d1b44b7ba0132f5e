"""TestState: one state by itself, what it gives, and what is shown of it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.machine.stage import ROLE, Stage

pytestmark = pytest.mark.twin


def _test(stage: Stage, definition: Any, data: Any = None, **named: Any) -> dict[str, Any]:
    named = {"roleArn": ROLE, "input": json.dumps({} if data is None else data)} | named
    answer = stage.client("stepfunctions").test_state(definition=json.dumps(definition), **named)
    del answer["ResponseMetadata"]
    return dict(answer)


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.loads(value) if isinstance(value, str) else value for name, value in answer["inspectionData"].items()
    }


_PATHS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "InputPath": "$.order",
    "Parameters": {"FunctionName": "price", "Payload.$": "$"},
    "ResultSelector": {"price.$": "$.Payload.price"},
    "ResultPath": "$.priced",
    "OutputPath": "$.priced",
    "Next": "Pay",
}


def test_info_has_the_output_and_the_next_state_and_no_more(stage: Stage) -> None:
    stage.functions["price"] = lambda event, _context: {"price": event["pieces"] * 3}
    answer = _test(stage, _PATHS, {"order": {"pieces": 4}})
    assert answer == {"status": "SUCCEEDED", "output": '{"price":12}', "nextState": "Pay"}


@pytest.mark.parametrize("level", ["DEBUG", "TRACE"])
def test_debug_shows_each_step_of_the_data(stage: Stage, level: str) -> None:
    stage.functions["price"] = lambda event, _context: {"price": event["pieces"] * 3}
    answer = _test(stage, _PATHS, {"order": {"pieces": 4}}, inspectionLevel=level)
    shown = _shown(answer)
    result = shown.pop("result")
    assert result["Payload"] == {"price": 12}
    assert shown == {
        "input": {"order": {"pieces": 4}},
        "afterInputPath": {"pieces": 4},
        "afterParameters": {"FunctionName": "price", "Payload": {"pieces": 4}},
        "afterResultSelector": {"price": 12},
        "afterResultPath": {"order": {"pieces": 4}, "priced": {"price": 12}},
        "variables": {},
    }


def test_jsonata_sees_variables_and_sets_them(stage: Stage) -> None:
    stage.functions["echo"] = lambda event, _context: event
    state = {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "echo", "Payload": {"sum": "{% $states.input.n + $before %}"}},
        "Assign": {"after": "{% $states.result.Payload.sum * 2 %}"},
        "Output": "{% $states.result.Payload.sum %}",
        "End": True,
    }
    answer = _test(stage, state, {"n": 1}, variables='{"before": 40}', inspectionLevel="DEBUG")
    assert (answer["status"], answer["output"], "nextState" in answer) == ("SUCCEEDED", "41", False)
    shown = _shown(answer)
    assert shown["afterArguments"] == {"FunctionName": "echo", "Payload": {"sum": 41}}
    assert shown["variables"] == {"before": 40, "after": 82}
    assert "afterInputPath" not in shown


@pytest.mark.parametrize(
    ("state", "data", "expected"),
    [
        ({"Type": "Pass", "Result": {"a": 1}, "End": True}, {}, {"status": "SUCCEEDED", "output": '{"a":1}'}),
        ({"Type": "Succeed"}, {"a": 2}, {"status": "SUCCEEDED", "output": '{"a":2}'}),
        ({"Type": "Wait", "Seconds": 1, "Next": "N"}, 3, {"status": "SUCCEEDED", "output": "3", "nextState": "N"}),
        ({"Type": "Fail", "Error": "E", "Cause": "c"}, {}, {"status": "FAILED", "error": "E", "cause": "c"}),
        (
            {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Many"}],
                "Default": "Few",
            },
            {"n": 6},
            {"status": "SUCCEEDED", "output": '{"n":6}', "nextState": "Many"},
        ),
    ],
    ids=["pass", "succeed", "wait", "fail", "choice"],
)
def test_each_type_of_state_is_tested(stage: Stage, state: Any, data: Any, expected: Any) -> None:
    assert _test(stage, state, data) == expected


_HANDLED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "f"},
    "Retry": [
        {"ErrorEquals": ["Other"]},
        {"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2},
    ],
    "Catch": [
        {"ErrorEquals": ["Wrong"], "Next": "W"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Handle"},
    ],
    "End": True,
}


@pytest.mark.parametrize(
    ("error", "retries", "status", "details"),
    [
        ("Busy", 1, "RETRIABLE", {"retryIndex": 1, "retryBackoffIntervalSeconds": 6}),
        ("Busy", 2, "CAUGHT_ERROR", {"catchIndex": 1}),
        ("Third", 0, "CAUGHT_ERROR", {"catchIndex": 1}),
    ],
)
def test_a_mocked_error_is_retried_caught_or_fails(
    stage: Stage, error: str, retries: int, status: str, details: dict[str, Any]
) -> None:
    mock = {"errorOutput": {"error": error, "cause": "why"}}
    configuration = {"retrierRetryCount": retries}
    answer = _test(
        stage, _HANDLED, {"a": 1}, mock=mock, stateConfiguration=configuration, inspectionLevel="DEBUG", roleArn=ROLE
    )
    assert (answer["status"], answer["error"], answer["cause"]) == (status, error, "why")
    assert _shown(answer)["errorDetails"] == details
    if status == "CAUGHT_ERROR":
        assert answer["nextState"] == "Handle"
        assert json.loads(answer["output"]) == {"a": 1, "error": {"Error": error, "Cause": "why"}}


def test_an_error_that_nobody_handles_fails_and_no_function_is_called_for_a_mock(stage: Stage) -> None:
    called: list[Any] = []
    stage.functions["f"] = lambda event, _context: called.append(event)
    bare = {name: value for name, value in _HANDLED.items() if name not in ("Retry", "Catch")}
    answer = _test(stage, bare, mock={"errorOutput": {"error": "Odd", "cause": "why"}})
    assert answer == {"status": "FAILED", "error": "Odd", "cause": "why"}
    answered = _test(stage, bare, mock={"result": '{"done": true}'})
    assert answered == {"status": "SUCCEEDED", "output": '{"done":true}'}
    assert called == []


def test_a_state_of_a_machine_is_found_by_its_name_in_a_branch_too(stage: Stage) -> None:
    deep = {"Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": True}
    branch = {"StartAt": "Deep", "States": {"Deep": deep}}
    both = {"Type": "Parallel", "Branches": [branch, branch], "End": True}
    machine = {"QueryLanguage": "JSONata", "StartAt": "Both", "States": {"Both": both}}
    assert _test(stage, machine, {"n": 4}, stateName="Deep")["output"] == "8"
    mocked = _test(stage, machine, {"n": 4}, stateName="Both", mock={"result": "[1, 2]"})
    assert mocked == {"status": "SUCCEEDED", "output": "[1,2]"}


def test_what_does_not_fit_is_refused(stage: Stage) -> None:
    passing, waiting = {"Type": "Pass", "End": True}, _HANDLED
    wrong: tuple[tuple[Any, Any], ...] = (
        (waiting, {}),
        (passing, {"mock": {"result": "{}"}}),
        (waiting, {"mock": {}}),
        (waiting, {"mock": {"result": "{"}}),
        (waiting, {"mock": {"errorOutput": {"cause": "c"}}}),
        (passing, {"context": "{}"}),
        (passing, {"variables": "[]"}),
        (passing, {"stateName": "Nobody"}),
        (passing, {"inspectionLevel": "ALL"}),
        ({"Type": "Parallel", "Branches": [], "End": True}, {}),
        ({**_PATHS}, {"roleArn": ""}),
    )
    for definition, named in wrong:
        with pytest.raises(ClientError, match="ValidationException"):
            _test(stage, definition, **named)
    none: tuple[Any, ...] = ({"Type": "Odd", "End": True}, {"End": True}, [])
    for definition in none:
        with pytest.raises(ClientError, match="InvalidDefinition"):
            _test(stage, definition)
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        _test(stage, passing, input="{")
