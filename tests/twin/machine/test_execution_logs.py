"""Execution logs: what a machine's logging configuration asks for, and never a token where data is off."""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.machine.stage import ACCOUNT, REGION, ROLE, Stage, until
from twin.host.model import LogEvent
from twin.machine.encoding import dump_json
from twin.machine.operations import execution_logs

pytestmark = pytest.mark.twin

_SECRET = "what was said"


class _Lines:
    """The lines of all logs, in their order."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, dict[str, Any]]] = []

    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        self.taken += [(log_group, log_stream, json.loads(event.message)) for event in events]

    def of(self, group: str) -> list[dict[str, Any]]:
        return [line for where, _, line in self.taken if where == group]


@pytest.fixture
def lines() -> Iterator[_Lines]:
    taken = _Lines()
    execution_logs.use(taken)
    yield taken
    execution_logs.use(None)


def _configure(stage: Stage, level: str, *, data: bool) -> tuple[str, dict[str, Any]]:
    group = f"/aws/vendedlogs/states/{uuid.uuid4()}"
    stage.client("logs").create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]
    return group, {"level": level, "includeExecutionData": data, "destinations": destinations}


def _create(stage: Stage, states: dict[str, Any], configuration: dict[str, Any]) -> str:
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    made = stage.client("stepfunctions").create_state_machine(
        name=f"logged-{uuid.uuid4()}",
        definition=json.dumps(definition),
        roleArn=ROLE,
        loggingConfiguration=configuration,
    )
    return str(made["stateMachineArn"])


_WAITS = {
    "Wait": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": "quiet", "Payload": {"token": "{% $states.context.Task.Token %}"}},
        "Assign": {"heard": "{% $states.result %}"},
        "Next": "Fail",
    },
    "Fail": {"Type": "Fail", "Error": "Wrong", "Cause": "always"},
}


def _run_waiting(stage: Stage, configuration: dict[str, Any]) -> tuple[str, str]:
    """Run a machine that waits for an answer and then fails; return its execution and the token."""
    tokens: list[str] = []
    stage.functions["quiet"] = lambda event, _context: tokens.append(event["token"])
    arn = stage.start_execution(_create(stage, _WAITS, configuration), {"said": _SECRET})
    until(lambda: "TaskSubmitted" in stage.types(arn))
    stage.client("stepfunctions").send_task_success(taskToken=tokens[0], output=json.dumps(_SECRET))
    stage.wait(arn)
    return arn, tokens[0]


def test_every_event_is_logged_in_its_order_with_its_data(stage: Stage, lines: _Lines) -> None:
    group, configuration = _configure(stage, "ALL", data=True)
    arn, token = _run_waiting(stage, configuration)
    logged = lines.of(group)
    events = stage.events(arn)
    assert [(line["id"], line["previous_event_id"], line["type"]) for line in logged] == [
        (str(event["id"]), str(event["previousEventId"]), event["type"]) for event in events
    ]
    assert {line["execution_arn"] for line in logged} == {arn}
    assert {line["redrive_count"] for line in logged} == {"0"}
    assert [int(line["event_timestamp"]) for line in logged] == [
        round(event["timestamp"].timestamp() * 1000) for event in events
    ]
    scheduled = next(line for line in logged if line["type"] == "TaskScheduled")
    assert token in scheduled["details"]["parameters"]
    assert logged[0]["details"]["input"] == json.dumps({"said": _SECRET}, separators=(",", ":"))


def test_without_data_neither_token_nor_words_are_logged(stage: Stage, lines: _Lines) -> None:
    group, configuration = _configure(stage, "ALL", data=False)
    arn, token = _run_waiting(stage, configuration)
    logged = lines.of(group)
    assert len(logged) == len(stage.events(arn))
    text = json.dumps(logged)
    assert token not in text
    assert _SECRET not in text
    failed = logged[-1]
    assert (failed["type"], failed["details"]) == ("ExecutionFailed", {"error": "Wrong", "cause": "always"})
    entered = next(line for line in logged if line["type"] == "TaskStateEntered")
    assert entered["details"] == {"name": "Wait"}
    history = stage.client("stepfunctions").get_execution_history(executionArn=arn, includeExecutionData=False)
    assert token not in json.dumps(history, default=str)
    assert _SECRET not in json.dumps(history, default=str)


@pytest.mark.parametrize(
    ("level", "logged"),
    [("ERROR", ["FailStateEntered", "ExecutionFailed"]), ("FATAL", ["ExecutionFailed"]), ("OFF", [])],
)
def test_a_level_has_its_events(stage: Stage, lines: _Lines, level: str, logged: list[str]) -> None:
    group, configuration = _configure(stage, level, data=True)
    _run_waiting(stage, configuration)
    assert [line["type"] for line in lines.of(group)] == logged


def test_a_redriven_execution_goes_on_in_its_log(stage: Stage, lines: _Lines) -> None:
    group, configuration = _configure(stage, "ALL", data=False)
    arn = stage.start_execution(_create(stage, {"F": _WAITS["Fail"]}, configuration))
    stage.wait(arn)
    stage.client("stepfunctions").redrive_execution(executionArn=arn)
    stage.wait(arn)
    told = [(line["type"], line["redrive_count"]) for line in lines.of(group)]
    assert told[2:] == [
        ("ExecutionFailed", "0"),
        ("ExecutionRedriven", "1"),
        ("FailStateEntered", "1"),
        ("ExecutionFailed", "1"),
    ]


def test_what_is_too_large_for_a_line_is_cut_and_says_so(stage: Stage, lines: _Lines) -> None:
    group, configuration = _configure(stage, "ALL", data=True)
    arn = stage.start_execution(
        _create(stage, {"P": {"Type": "Pass", "End": True}}, configuration), {"long": '"\n' * 60_000}
    )
    stage.wait(arn)
    started = lines.of(group)[0]["details"]
    assert started["inputDetails"] == {"truncated": True}
    whole = stage.events(arn)[0]["executionStartedEventDetails"]["input"]
    assert whole.startswith(started["input"])
    assert 248 * 1024 - 8 < len(dump_json(started["input"]).encode()) <= 248 * 1024


def test_a_version_logs_as_its_machine_did_when_it_was_published(stage: Stage, lines: _Lines) -> None:
    group, configuration = _configure(stage, "ALL", data=False)
    states = stage.client("stepfunctions")
    machine = _create(stage, {"P": {"Type": "Pass", "End": True}}, configuration)
    version = states.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    states.update_state_machine(stateMachineArn=machine, loggingConfiguration={"level": "OFF"})
    stage.wait(stage.start_execution(machine))
    assert lines.of(group) == []
    stage.wait(stage.start_execution(version))
    assert next(line["type"] for line in lines.of(group)) == "ExecutionStarted"


def test_a_log_that_nobody_could_write_is_refused(stage: Stage) -> None:
    group, good = _configure(stage, "ALL", data=True)
    [destination] = good["destinations"]
    arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
    for destinations in (
        [],
        [destination, destination],
        [{"cloudWatchLogsLogGroup": {"logGroupArn": arn.removesuffix(":*")}}],
        [{"cloudWatchLogsLogGroup": {"logGroupArn": arn.replace(group, "/nowhere")}}],
    ):
        with pytest.raises(ClientError, match="InvalidLoggingConfiguration"):
            _create(stage, {"P": {"Type": "Pass", "End": True}}, {**good, "destinations": destinations})
    machine = _create(stage, {"P": {"Type": "Pass", "End": True}}, {"level": "OFF"})
    with pytest.raises(ClientError, match="InvalidLoggingConfiguration"):
        stage.client("stepfunctions").update_state_machine(
            stateMachineArn=machine, loggingConfiguration={**good, "destinations": []}
        )
