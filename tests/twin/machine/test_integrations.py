"""Calls to services: by the machine's role, with AWS's field names and error names."""

import json
import uuid
from typing import Any

import pytest

from tests.twin.machine.stage import ACCOUNT, REGION, ROLE, Stage, until

pytestmark = pytest.mark.twin


def _task(resource: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **fields}
    return {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}


def _denied(stage: Stage, definition: dict[str, Any], action: str) -> dict[str, Any]:
    role = f"arn:aws:iam::{ACCOUNT}:role/denied-{uuid.uuid4()}"
    stage.denied.add((role, action))
    return stage.run(definition, role=role)


def test_every_call_is_made_by_the_machines_own_role(stage: Stage) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/own-{uuid.uuid4()}"
    stage.functions["f"] = lambda _event, _context: None
    ended = stage.run(_task("arn:aws:states:::lambda:invoke", {"FunctionName": "f"}), role=role)
    assert ended["status"] == "SUCCEEDED"
    assert (role, "lambda:f") in stage.calls
    assert {caller for caller, _ in stage.calls} >= {role}


def test_a_denied_invocation_is_reported_as_on_aws(stage: Stage) -> None:
    stage.functions["f"] = lambda _event, _context: None
    ended = _denied(stage, _task("arn:aws:states:::lambda:invoke", {"FunctionName": "f"}), "lambda:f")
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:f" in ended["cause"]
    assert "(Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: " in ended["cause"]


def test_a_denied_invocation_of_a_bare_function_has_the_same_name(stage: Stage) -> None:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    ended = _denied(stage, _task(function, {}), f"lambda:{function}")
    assert ended["error"] == "Lambda.AWSLambdaException"


_GET = {"TableName": "t", "Key": {}}
_DENIED = [
    (
        "states:startExecution",
        {"StateMachineArn": "x"},
        "AWSStepFunctions.StartExecution",
        "StepFunctions.AWSStepFunctionsException",
    ),
    ("sqs:sendMessage", {"QueueUrl": "x", "MessageBody": "y"}, "AmazonSQS.SendMessage", "SQS.AmazonSQSException"),
    ("dynamodb:getItem", _GET, "DynamoDB_20120810.GetItem", "DynamoDB.AmazonDynamoDBException"),
    ("aws-sdk:dynamodb:getItem", _GET, "DynamoDB_20120810.GetItem", "DynamoDb.DynamoDbException"),
    (
        "events:putEvents",
        {"Entries": [{"Detail": {}}]},
        "AWSEvents.PutEvents",
        "EventBridge.AmazonEventBridgeException",
    ),
]


@pytest.mark.parametrize(("resource", "arguments", "action", "error"), _DENIED)
def test_a_denied_call_has_the_base_error_of_its_service(
    stage: Stage, resource: str, arguments: Any, action: str, error: str
) -> None:
    assert _denied(stage, _task(f"arn:aws:states:::{resource}", arguments), action)["error"] == error


def test_a_function_that_does_not_exist_has_the_modelled_error(stage: Stage) -> None:
    ended = stage.run(_task("arn:aws:states:::lambda:invoke", {"FunctionName": f"no-{uuid.uuid4()}"}))
    assert ended["error"] == "Lambda.ResourceNotFoundException"


def test_a_failure_without_a_type_is_unknown(stage: Stage) -> None:
    class Untyped(Exception):
        pass

    Untyped.__name__ = ""

    def fail(_event: Any, _context: Any) -> Any:
        raise Untyped("no name")

    stage.functions["f"] = fail
    assert stage.run(_task("arn:aws:states:::lambda:invoke", {"FunctionName": "f"}))["error"] == "Lambda.Unknown"


def test_the_result_of_an_invocation_has_the_fields_of_the_optimised_integration(stage: Stage) -> None:
    stage.functions["f"] = lambda event, _context: {"got": event}
    result = stage.output(_task("arn:aws:states:::lambda:invoke", {"FunctionName": "f", "Payload": {"a": None}}))
    assert result["Payload"] == {"got": {"a": None}}
    assert (result["StatusCode"], result["ExecutedVersion"]) == (200, "$LATEST")
    assert result["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert result["SdkResponseMetadata"]["RequestId"]


def test_a_message_that_is_an_object_is_sent_as_json(stage: Stage) -> None:
    sqs = stage.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4()}")["QueueUrl"]
    body = {"text": 'ü"\\', "n": None}
    result = stage.output(_task("arn:aws:states:::sqs:sendMessage", {"QueueUrl": url, "MessageBody": body}))
    assert {"MessageId", "MD5OfMessageBody", "SdkHttpMetadata"} <= result.keys()
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert json.loads(message["Body"]) == body


def test_items_are_written_read_and_conditions_have_their_error(stage: Stage) -> None:
    table = f"t-{uuid.uuid4()}"
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    stage.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"pk": {"S": "a"}, "tags": {"SS": ["x"]}, "lower": {"M": {"inner": {"BOOL": True}}}}
    put = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    assert stage.run(_task("arn:aws:states:::dynamodb:putItem", put))["status"] == "SUCCEEDED"
    again = stage.run(_task("arn:aws:states:::dynamodb:putItem", put))
    assert again["error"] == "DynamoDB.ConditionalCheckFailedException"
    get = {"TableName": table, "Key": {"pk": {"S": "a"}}}
    assert stage.output(_task("arn:aws:states:::dynamodb:getItem", get))["Item"] == item
    assert stage.output(_task("arn:aws:states:::aws-sdk:dynamodb:getItem", get)) == {"Item": item}


def test_events_carry_the_execution_as_a_resource(stage: Stage) -> None:
    entries = [{"Source": "s", "DetailType": "d", "Detail": {"a": 1}}]
    result = stage.output(_task("arn:aws:states:::events:putEvents", {"Entries": entries}))
    assert result["FailedEntryCount"] == 0


def _nested(pattern: str, target: str, **fields: Any) -> dict[str, Any]:
    arguments = {"StateMachineArn": target, "Input": {"from": "{% $states.context.Execution.Name %}"}, **fields}
    return _task(f"arn:aws:states:::states:startExecution{pattern}", arguments)


_PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
_WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10_000_000, "End": True}}}


def test_a_nested_execution_gives_its_output_as_json(stage: Stage) -> None:
    child = stage.create(_PASS)
    parent = stage.create(_nested(".sync:2", child, Name="child"))
    ended = stage.wait(stage.start_execution(parent, name="parent"))
    result = json.loads(ended["output"])
    assert result["Output"] == {"from": "parent"}
    assert (result["Name"], result["Status"], result["StateMachineArn"]) == ("child", "SUCCEEDED", child)
    assert isinstance(result["StopDate"], int)


def test_stopping_the_parent_stops_the_child(stage: Stage) -> None:
    child = stage.create(_WAIT)
    parent = stage.start_execution(stage.create(_nested(".sync:2", child)))
    states = stage.client("stepfunctions")
    running = until(lambda: states.list_executions(stateMachineArn=child)["executions"])[0]["executionArn"]
    until(lambda: "TaskSubmitted" in stage.types(parent))
    states.stop_execution(executionArn=parent)
    assert stage.wait(running)["status"] == "ABORTED"


def test_a_parent_without_waiting_goes_on_at_once(stage: Stage) -> None:
    child = stage.create(_WAIT)
    result = stage.output(_nested("", child))
    assert result["ExecutionArn"].startswith(child.replace(":stateMachine:", ":execution:"))


def test_a_name_that_is_taken_fails_the_parent_with_its_error(stage: Stage) -> None:
    child = stage.create(_PASS)
    stage.wait(stage.start_execution(child, {"other": 1}, name="taken"))
    ended = stage.run(_nested(".sync:2", child, Name="taken"))
    assert ended["error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_sixteen_levels_of_nesting_end(stage: Stage) -> None:
    arn = stage.create(_PASS)
    for _ in range(16):
        arn = stage.create(_nested(".sync:2", arn), role=ROLE)
    assert stage.wait(stage.start_execution(arn), 60)["status"] == "SUCCEEDED"
