"""JSONata in machines: data is data, evaluation order is AWS's, failures have names and can be caught."""

import json
from typing import Any

import pytest

from tests.twin.machine import recorded
from tests.twin.machine.stage import Stage

pytestmark = pytest.mark.twin

_HOSTILE = [
    '"',
    "\\",
    "'; $error('x')",
    '" & $string($states.context) & "',
    "{% $states.context %}",
    "$states.input",
    "line\nbreak\ttab\r\x00\x1f",
    "ünïcödé 日本語 😀",
    "\u202e\u2028\ufeff",
    "x" * 1000,
]


def _jsonata(**states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def _echo() -> dict[str, Any]:
    return _jsonata(
        One={"Type": "Pass", "Assign": {"kept": "{% $states.input.text %}"}, "Next": "Two"},
        Two={
            "Type": "Pass",
            "Output": {"input": "{% $states.input.text %}", "variable": "{% $kept %}", "joined": "{% $kept & '!' %}"},
            "End": True,
        },
    )


@pytest.mark.parametrize("text", _HOSTILE)
def test_text_passes_through_input_and_variables_unchanged(stage: Stage, text: str) -> None:
    assert stage.output(_echo(), {"text": text}) == {"input": text, "variable": text, "joined": f"{text}!"}


@pytest.mark.skipif(not recorded.available(), reason="the strings of shared/data are not there")
def test_naughty_strings_pass_through_unchanged(stage: Stage) -> None:
    strings = json.loads((recorded.RECORDINGS.parent / "hostile" / "blns.json").read_text())
    assert len(strings) > 500
    assert stage.output(_echo(), {"text": "\n".join(strings)})["variable"] == "\n".join(strings)


def test_escapes_in_a_definition_are_those_of_json(stage: Stage) -> None:
    definition = (
        '{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","End":true,"Output":'
        '{"k\\"ey":"a\\/b \\ud83d\\ude00 \\"q\\" \\\\ \\n","expr":"{% \\"in \\\\\\"quotes\\\\\\"\\" %}"}}}}'
    )
    assert stage.output(definition) == {'k"ey': 'a/b 😀 "q" \\ \n', "expr": 'in "quotes"'}


def test_assign_and_output_both_see_the_values_at_entry(stage: Stage) -> None:
    definition = _jsonata(
        Set={"Type": "Pass", "Assign": {"x": 1}, "Next": "Both"},
        Both={
            "Type": "Pass",
            "Assign": {"x": "{% $x + 1 %}", "y": "{% $x %}"},
            "Output": {"x": "{% $x %}"},
            "Next": "After",
        },
        After={
            "Type": "Pass",
            "Output": {"before": "{% $states.input.x %}", "x": "{% $x %}", "y": "{% $y %}"},
            "End": True,
        },
    )
    assert stage.output(definition) == {"before": 1, "x": 2, "y": 1}


def test_a_task_sees_its_input_result_and_variables_at_once(stage: Stage) -> None:
    stage.functions["echo"] = lambda event, _context: {"got": event}
    definition = _jsonata(
        Call={
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "echo", "Payload": "{% $states.input.a %}"},
            "Assign": {"result": "{% $states.result.Payload.got %}"},
            "Output": {"in": "{% $states.input %}", "got": "{% $states.result.Payload %}"},
            "Next": "After",
        },
        After={"Type": "Pass", "Output": {"previous": "{% $states.input %}", "variable": "{% $result %}"}, "End": True},
    )
    assert stage.output(definition, {"a": [1]}) == {
        "previous": {"in": {"a": [1]}, "got": {"got": [1]}},
        "variable": [1],
    }


def test_context_has_the_documented_fields(stage: Stage) -> None:
    definition = _jsonata(A={"Type": "Pass", "Output": "{% $states.context %}", "End": True})
    arn = stage.start_execution(stage.create(definition, name="context-machine"), {"k": None}, name="context-run")
    context = json.loads(stage.wait(arn)["output"])
    execution = context["Execution"]
    assert (execution["Id"], execution["Name"], execution["Input"]) == (arn, "context-run", {"k": None})
    assert execution["StartTime"].endswith("Z")
    assert context["State"]["Name"] == "A"
    assert context["State"]["EnteredTime"].endswith("Z")
    assert context["StateMachine"]["Name"] == "context-machine"


def test_functions_of_step_functions_exist_and_eval_does_not(stage: Stage) -> None:
    definition = _jsonata(
        A={
            "Type": "Pass",
            "Output": {
                "partition": "{% $partition([1..5], 2) %}",
                "range": "{% $range(0, 10, 5) %}",
                "hash": "{% $hash('a', 'MD5') %}",
                "random": "{% $random(7) = $random(7) %}",
                "uuid": "{% $length($uuid()) %}",
                "parse": "{% $parse('{\"a\": [null]}') %}",
            },
            "End": True,
        }
    )
    assert stage.output(definition) == {
        "partition": [[1, 2], [3, 4], [5]],
        "range": [0, 5, 10],
        "hash": "0cc175b9c0f1b6a831c399e269772661",
        "random": True,
        "uuid": 36,
        "parse": {"a": [None]},
    }
    ended = stage.run(_jsonata(A={"Type": "Pass", "Output": "{% $eval('1+1') %}", "End": True}))
    assert ended["error"] == "States.QueryEvaluationError"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$nothing", "specified for the field 'Output/x' returned nothing (undefined)."),
        ("1 + 'a'", "threw an error during evaluation. T2002"),
        ("function($x){$x}", "returned an unsupported result type."),
        ("(", "threw an error during evaluation. S0203"),
    ],
)
def test_a_failed_evaluation_names_state_field_and_reason(stage: Stage, expression: str, words: str) -> None:
    ended = stage.run(_jsonata(Broken={"Type": "Pass", "Output": {"x": f"{{% {expression} %}}"}, "End": True}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert ended["cause"].startswith(
        "An error occurred while executing the state 'Broken' (entered at the event id #2)."
    )
    assert words in ended["cause"]


def test_a_failed_evaluation_of_arguments_can_be_caught(stage: Stage) -> None:
    definition = _jsonata(
        Call={
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "{% $missing %}"},
            "Catch": [
                {
                    "ErrorEquals": ["States.QueryEvaluationError"],
                    "Assign": {"error": "{% $states.errorOutput.Error %}"},
                    "Output": {"input": "{% $states.input %}"},
                    "Next": "After",
                }
            ],
            "End": True,
        },
        After={"Type": "Pass", "Output": {"error": "{% $error %}", "previous": "{% $states.input %}"}, "End": True},
    )
    arn = stage.start_execution(stage.create(definition), {"k": 1})
    assert json.loads(stage.wait(arn)["output"]) == {
        "error": "States.QueryEvaluationError",
        "previous": {"input": {"k": 1}},
    }
    assert stage.types(arn).count("EvaluationFailed") == 1


def test_a_condition_that_is_not_a_boolean_is_a_query_error(stage: Stage) -> None:
    definition = _jsonata(
        Choose={"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "End"}], "Default": "End"},
        End={"Type": "Succeed"},
    )
    assert stage.run(definition)["error"] == "States.QueryEvaluationError"


def test_items_that_are_not_an_array_fail_the_map(stage: Stage) -> None:
    definition = _jsonata(
        Each={
            "Type": "Map",
            "Items": "{% 'text' %}",
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    )
    arn = stage.start_execution(stage.create(definition))
    ended = stage.wait(arn)
    assert ended["error"] == "States.QueryEvaluationError"
    assert "Expected 'array', but was 'string'" in ended["cause"]
    assert stage.types(arn)[-3:] == ["EvaluationFailed", "MapStateFailed", "ExecutionFailed"]


def test_a_choice_rule_applies_only_its_own_assign_and_output(stage: Stage) -> None:
    definition = _jsonata(
        Choose={
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.go %}", "Assign": {"who": "rule"}, "Output": "rule", "Next": "End"}
            ],
            "Default": "End",
            "Assign": {"who": "default"},
            "Output": "default",
        },
        End={"Type": "Pass", "Output": ["{% $who %}", "{% $states.input %}"], "End": True},
    )
    assert stage.output(definition, {"go": True}) == ["rule", "rule"]
    assert stage.output(definition, {"go": False}) == ["default", "default"]


def test_no_matching_choice_has_its_own_error(stage: Stage) -> None:
    definition = _jsonata(
        Choose={"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "End"}]}, End={"Type": "Succeed"}
    )
    assert stage.run(definition)["error"] == "States.NoChoiceMatched"
