"""Express machines: what they may not contain, how long they live, and what nothing tells of them."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.machine.stage import ROLE, Stage, until
from twin.machine import executions, lifecycle

_PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
_WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 99_999, "End": True}}}


def task(resource: str) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "Parameters": {}, "End": True}}}


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:us-east-1:123456789012:activity:work",
    ],
)
def test_a_definition_that_waits_for_somebody_is_refused(stage: Stage, resource: str) -> None:
    create = stage.client("stepfunctions").create_state_machine
    definition = json.dumps(task(resource))
    assert refused(create, name="waits", definition=definition, roleArn=ROLE, type="EXPRESS") == "InvalidDefinition"


def test_a_wait_inside_a_map_is_refused_as_well(stage: Stage) -> None:
    inner = task("arn:aws:states:::lambda:invoke.waitForTaskToken")
    outer = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    with pytest.raises(ClientError, match=r"does not support '.waitForTaskToken'"):
        stage.create(outer, kind="EXPRESS")


def test_an_update_to_what_it_cannot_do_is_refused(stage: Stage) -> None:
    arn = stage.create(_PASS, kind="EXPRESS")
    update = stage.client("stepfunctions").update_state_machine
    definition = json.dumps(task("arn:aws:states:::lambda:invoke.waitForTaskToken"))
    assert refused(update, stateMachineArn=arn, definition=definition) == "InvalidDefinition"


def test_nothing_tells_of_an_execution_and_nothing_stops_it(stage: Stage) -> None:
    client = stage.client("stepfunctions")
    machine = stage.create(_PASS, kind="EXPRESS")
    execution = stage.start_execution(machine, name="once")
    assert ":express:" in execution
    for operation in (client.describe_execution, client.get_execution_history, client.stop_execution):
        assert refused(operation, executionArn=execution) == "InvalidArn"
    assert refused(client.list_executions, stateMachineArn=machine) == "StateMachineTypeNotSupported"


def test_a_name_may_be_used_again_and_is_another_execution(stage: Stage) -> None:
    machine = stage.create(_PASS, kind="EXPRESS")
    first, second = (stage.start_execution(machine, {"a": 1}, name="same") for _ in range(2))
    assert first != second


def test_an_execution_is_timed_out_at_the_end_of_its_life(stage: Stage) -> None:
    execution = executions.find(stage.start_execution(stage.create(_WAIT, kind="EXPRESS")))
    lifecycle.limit_lifetime(execution, seconds=0.05)
    assert execution.finished.wait(10)
    assert execution.status == "TIMED_OUT"


def test_the_timer_of_an_execution_that_ended_is_gone(stage: Stage) -> None:
    execution = executions.find(stage.start_execution(stage.create(_PASS, kind="EXPRESS")))
    assert execution.finished.wait(10)
    until(lambda: not [one for one in threading.enumerate() if isinstance(one, threading.Timer)])


def test_an_alias_of_an_express_machine_runs_its_version(stage: Stage) -> None:
    client = stage.client("stepfunctions")
    machine = stage.create(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "old", "End": True}}}, kind="EXPRESS"
    )
    version = client.update_state_machine(stateMachineArn=machine, roleArn=ROLE, publish=True)["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    client.update_state_machine(stateMachineArn=machine, definition=json.dumps(_PASS))
    assert client.start_sync_execution(stateMachineArn=alias, input="{}")["output"] == '"old"'
    assert client.start_sync_execution(stateMachineArn=machine, input="{}")["output"] == "{}"
