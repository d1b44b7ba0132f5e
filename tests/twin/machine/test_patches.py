"""What moto gets wrong in a single place, where no behaviour of a larger test tells it: a test for each patch."""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.common.path import result_path

from tests.twin.machine.stage import Stage

pytestmark = pytest.mark.twin

_QUOTED = 'a "quoted" \\ text\n'


def _machine(language: str = "JSONata", /, **states: Any) -> dict[str, Any]:
    return {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states}


def test_an_assigned_text_is_recorded_as_json(stage: Stage) -> None:
    # moto puts quotes around the text and escapes nothing.
    keep = {"Type": "Pass", "Assign": {"kept": "{% $states.input %}"}, "End": True}
    arn = stage.start_execution(stage.create(_machine(Keep=keep)), _QUOTED)
    assert stage.wait(arn)["status"] == "SUCCEEDED"
    [exited] = [event for event in stage.events(arn) if event["type"] == "PassStateExited"]
    assert exited["stateExitedEventDetails"]["assignedVariables"] == {"kept": json.dumps(_QUOTED)}


def test_a_failure_names_the_event_at_which_its_state_was_entered(stage: Stage) -> None:
    # moto names the last event before the failure: here the end of the call.
    stage.functions["f"] = lambda _event, _context: None
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f"},
        "OutputPath": "$.none",
        "End": True,
    }
    definition = _machine("JSONPath", First={"Type": "Pass", "Next": "Call"}, Call=call)
    arn = stage.start_execution(stage.create(definition))
    cause = stage.wait(arn)["cause"]
    [entered] = [event["id"] for event in stage.events(arn) if event["type"] == "TaskStateEntered"]
    assert f"the state 'Call' (entered at the event id #{entered})." in cause


def test_the_cause_of_an_error_that_leaves_a_parallel_state_is_worded_once(stage: Stage) -> None:
    # moto puts "An error occurred while executing the state" before the cause for the branch and for the state.
    branch = _machine(Inner={"Type": "Pass", "Output": "{% $none %}", "End": True})
    del branch["QueryLanguage"]
    ended = stage.run(_machine(Both={"Type": "Parallel", "Branches": [branch], "End": True}))
    assert ended["error"] == "States.QueryEvaluationError"
    assert ended["cause"].count("An error occurred while executing the state") == 1
    assert "'Inner'" in ended["cause"]


def test_a_variable_in_a_path_is_read_and_not_spliced_into_an_expression(stage: Stage) -> None:
    # moto writes the variable's value into the text of an expression, without escaping it.
    definition = _machine(
        "JSONPath",
        Keep={"Type": "Pass", "Assign": {"kept.$": "$"}, "Next": "Use"},
        Use={"Type": "Pass", "Parameters": {"found.$": "$kept"}, "End": True},
    )
    assert stage.output(definition, _QUOTED) == {"found": _QUOTED}


def test_the_default_result_path_is_not_parsed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # moto parses "$" for every state that it leaves, which takes longer than the state.
    parsed: list[str] = []
    monkeypatch.setattr(result_path, "parse", parsed.append)
    assert stage.output(_machine("JSONPath", Only={"Type": "Pass", "Result": 1, "End": True})) == 1
    assert parsed == []


@pytest.mark.parametrize("cause", ["{% 'the card ' & $states.input %}", "{% $error('the card ' & $states.input) %}"])
def test_a_failure_is_not_logged_with_its_payload(stage: Stage, caplog: pytest.LogCaptureFixture, cause: str) -> None:
    # moto logs each failed part of a state as an error, with all that the state has.
    fails = {"Type": "Fail", "Error": "Refused", "Cause": cause}
    with caplog.at_level(logging.ERROR):
        ended = stage.run(_machine(Stop=fails), "4111-1111")
    assert "the card 4111-1111" in ended["cause"]
    assert "4111-1111" not in caplog.text


@pytest.fixture
def west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is five hours behind UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "WEST+5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("west")
def test_a_timestamp_is_utc_wherever_the_twin_runs(stage: Stage) -> None:
    # moto compares it with local time: it would wait for another five hours.
    past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    wait = {"Type": "Wait", "Timestamp": past, "End": True}
    assert stage.run(_machine(Wait=wait))["status"] == "SUCCEEDED"


def test_an_invocation_type_is_passed_on(stage: Stage) -> None:
    # moto's parser knows no InvocationType of lambda:invoke and refuses the state.
    stage.functions["f"] = lambda _event, _context: "done"
    arguments = {"FunctionName": "f", "InvocationType": "RequestResponse"}
    call = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "End": True}
    assert stage.output(_machine(Call=call))["Payload"] == "done"
