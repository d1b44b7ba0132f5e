"""The shape of an agent's machine: tools looked up in a table, Map, Retry, Catch and a decision by a person."""

import json
from typing import Any

import pytest

from tests.twin.machine.stage import ACCOUNT, ROLE, Stage, until

pytestmark = pytest.mark.twin

_ACT: dict[str, Any] = {
    "Type": "Map",
    "Items": "{% $states.input.calls %}",
    "ItemSelector": {
        "tool": "{% $states.context.Map.Item.Value.tool %}",
        "index": "{% $states.context.Map.Item.Index %}",
        "run": "{% $states.context.Execution.Name %}",
    },
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {
                    "FunctionName": "{% $lookup($functions, $states.input.tool) %}",
                    "Payload": "{% $states.input %}",
                },
                "Retry": [{"ErrorEquals": ["ToolThrottled"], "IntervalSeconds": 1, "MaxAttempts": 2}],
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Output": {"error": "{% $states.errorOutput.Error %}"},
                        "Next": "Failed",
                    }
                ],
                "Output": "{% $states.result.Payload %}",
                "End": True,
            },
            "Failed": {"Type": "Pass", "End": True},
        },
    },
    "Next": "Ask",
}
_DEFINITION: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Prepare",
    "States": {
        "Prepare": {
            "Type": "Pass",
            "Assign": {
                "functions": {"add": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:tool-add:live", "bad": "tool-bad"}
            },
            "Next": "Act",
        },
        "Act": _ACT,
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {
                "FunctionName": "tool-ask",
                "Payload": {"token": "{% $states.context.Task.Token %}", "results": "{% $states.input %}"},
            },
            "TimeoutSeconds": 60,
            "Output": {"results": "{% $states.input %}", "decision": "{% $states.result %}"},
            "End": True,
        },
    },
}


class ToolThrottled(Exception):
    """A transient error of a tool."""


def test_an_agents_machine_runs_from_tools_to_the_decision_of_a_person(stage: Stage) -> None:
    attempts: list[int] = []
    tokens: list[str] = []

    def add(event: Any, _context: Any) -> Any:
        attempts.append(event["index"])
        if len(attempts) == 1:
            raise ToolThrottled("slow down")
        return {"sum": event["index"] + 1, "run": event["run"]}

    def bad(_event: Any, _context: Any) -> Any:
        raise ValueError("no")

    def ask(event: Any, _context: Any) -> Any:
        tokens.append(event["token"])

    stage.functions.update({"tool-add:live": add, "tool-bad": bad, "tool-ask": ask})
    arn = stage.start_execution(stage.create(_DEFINITION), {"calls": [{"tool": "add"}, {"tool": "bad"}]}, name="run-1")
    until(lambda: tokens)
    stage.client("stepfunctions").send_task_success(taskToken=tokens[0], output='{"approved": true}')
    ended = stage.wait(arn)
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == {
        "results": [{"sum": 1, "run": "run-1"}, {"error": "ValueError"}],
        "decision": {"approved": True},
    }
    assert {caller for caller, _ in stage.calls} == {ROLE}
