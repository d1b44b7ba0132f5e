"""Task tokens: first answer wins, every attempt has its own, unknown and spent tokens are told apart."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.clocks import StillClock
from tests.twin.machine.stage import Stage, until
from twin.machine import tokens as twin_tokens

pytestmark = pytest.mark.twin


def _asking(**fields: Any) -> dict[str, Any]:
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Arguments": {"FunctionName": "ask", "Payload": "{% $states.context.Task.Token %}"},
                "End": True,
                **fields,
            }
        },
    }


def _asked(stage: Stage, **fields: Any) -> tuple[str, list[str]]:
    """Start an execution that waits; return its ARN and the tokens that its attempts get."""
    tokens: list[str] = []
    stage.functions["ask"] = lambda event, _context: tokens.append(event)
    arn = stage.start_execution(stage.create(_asking(**fields)))
    until(lambda: tokens)
    return arn, tokens


def _code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_success_is_the_result_of_the_task(stage: Stage) -> None:
    arn, tokens = _asked(stage)
    stage.client("stepfunctions").send_task_success(taskToken=tokens[0], output='{"a": "ü\\"x"}')
    assert json.loads(stage.wait(arn)["output"]) == {"a": 'ü"x'}


def test_failure_gives_error_and_cause_to_the_catcher(stage: Stage) -> None:
    arn, tokens = _asked(stage)
    stage.client("stepfunctions").send_task_failure(taskToken=tokens[0], error="Rejected", cause="by a person")
    ended = stage.wait(arn)
    assert (ended["error"], ended["cause"]) == ("Rejected", "by a person")


@pytest.mark.parametrize("operation", ["send_task_success", "send_task_failure", "send_task_heartbeat"])
def test_a_token_that_was_never_issued_is_invalid(stage: Stage, operation: str) -> None:
    output = {"output": "{}"} if operation == "send_task_success" else {}
    call = getattr(stage.client("stepfunctions"), operation)
    assert _code(call, taskToken="made-up", **output) == "InvalidToken"


@pytest.mark.parametrize("operation", ["send_task_success", "send_task_failure", "send_task_heartbeat"])
def test_a_token_that_was_answered_has_timed_out(stage: Stage, operation: str) -> None:
    arn, tokens = _asked(stage)
    states = stage.client("stepfunctions")
    states.send_task_success(taskToken=tokens[0], output="{}")
    output = {"output": "{}"} if operation == "send_task_success" else {}
    assert _code(getattr(states, operation), taskToken=tokens[0], **output) == "TaskTimedOut"
    assert stage.wait(arn)["status"] == "SUCCEEDED"


def test_a_token_of_a_stopped_execution_has_timed_out(stage: Stage) -> None:
    arn, tokens = _asked(stage)
    states = stage.client("stepfunctions")
    states.stop_execution(executionArn=arn)
    assert _code(states.send_task_success, taskToken=tokens[0], output="{}") == "TaskTimedOut"


def test_output_that_is_not_json_is_refused_and_the_task_goes_on(stage: Stage) -> None:
    arn, tokens = _asked(stage)
    states = stage.client("stepfunctions")
    assert _code(states.send_task_success, taskToken=tokens[0], output="{nope") == "InvalidOutput"
    states.send_task_success(taskToken=tokens[0], output="1")
    assert stage.wait(arn)["output"] == "1"


def test_the_time_limit_of_a_waiting_task_is_a_timeout_and_spends_the_token(stage: Stage) -> None:
    arn, tokens = _asked(stage, TimeoutSeconds=1)
    ended = stage.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert stage.types(arn)[-2:] == ["TaskTimedOut", "ExecutionFailed"]
    assert _code(stage.client("stepfunctions").send_task_success, taskToken=tokens[0], output="{}") == "TaskTimedOut"


@pytest.mark.parametrize("name", ["States.Timeout", "States.HeartbeatTimeout"])
def test_a_missed_heartbeat_can_be_caught_by_either_name(stage: Stage, name: str) -> None:
    definition = _asking(HeartbeatSeconds=1, Catch=[{"ErrorEquals": [name], "Output": "late", "Next": "Late"}])
    definition["States"]["Late"] = {"Type": "Pass", "End": True}
    stage.functions["ask"] = lambda _event, _context: None
    assert stage.output(definition) == "late"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """A clock that stands still."""
    found = StillClock()
    monkeypatch.setattr(twin_tokens, "monotonic", found)
    return found


def _waits(stage: Stage, arn: str) -> bool:
    return "TaskSubmitted" in stage.types(arn)


def test_heartbeats_keep_a_task_alive_past_its_interval(stage: Stage, clock: StillClock) -> None:
    arn, issued = _asked(stage, HeartbeatSeconds=10)
    until(lambda: _waits(stage, arn))
    states = stage.client("stepfunctions")
    for _ in range(4):
        clock.now += 6
        states.send_task_heartbeat(taskToken=issued[0])
    states.send_task_success(taskToken=issued[0], output="true")
    assert stage.wait(arn)["status"] == "SUCCEEDED"


def test_a_heartbeat_that_comes_too_late_keeps_nothing_alive(stage: Stage, clock: StillClock) -> None:
    arn, issued = _asked(stage, HeartbeatSeconds=1)
    states = stage.client("stepfunctions")

    def refused() -> bool:
        clock.now += 1  # A task that does not wait yet has no interval to miss.
        try:
            states.send_task_heartbeat(taskToken=issued[0])
        except ClientError as error:
            return error.response["Error"]["Code"] == "TaskTimedOut"
        return False

    until(refused)
    assert stage.wait(arn)["error"] == "States.Timeout"


def test_each_attempt_of_a_retried_task_waits_for_its_own_token(stage: Stage) -> None:
    arn, tokens = _asked(stage, Retry=[{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}])
    states = stage.client("stepfunctions")
    states.send_task_failure(taskToken=tokens[0], error="Again")
    until(lambda: len(tokens) == 2)
    assert tokens[0] != tokens[1]
    states.send_task_success(taskToken=tokens[1], output='"second"')
    assert stage.wait(arn)["output"] == '"second"'


def test_an_answer_that_comes_before_the_function_returns_counts(stage: Stage) -> None:
    states = stage.client("stepfunctions")
    stage.functions["ask"] = lambda event, _context: states.send_task_success(taskToken=event, output="1") and None
    assert stage.output(_asking()) == 1
