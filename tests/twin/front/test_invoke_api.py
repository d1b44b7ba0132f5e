"""Functions invoked through the front with the real SDK, and functions that call AWS through it in their own role."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client, MakeRole, allow, make_table
from twin.front.front import AwsFront
from twin.host.host import FunctionHost, HostSettings
from twin.host.model import FunctionSpec, LogEvent

pytestmark = pytest.mark.twin

SOURCE = """
import os, boto3
def echo(event, context):
    print("heard", event)
    return event
def fail(event, context):
    raise KeyError("no")
def write(event, context):
    boto3.client("dynamodb").put_item(TableName=event, Item={"pk": {"S": "a"}, "sk": {"S": "1"}})
    return boto3.client("sts").get_caller_identity()["Arn"]
def call(event, context):
    return boto3.client("lambda").invoke(FunctionName=event)["Payload"].read().decode()
"""


class NoSink:
    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        return


@pytest.fixture
def host(front: AwsFront, tmp_path: Path) -> Iterator[FunctionHost]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(SOURCE)
    settings = HostSettings(REGION, tmp_path / "state", {"AWS_ENDPOINT_URL": front.url})
    with FunctionHost(NoSink(), lambda arn: front.principals.issue(arn).to_environment(), settings) as host:
        for name in ("echo", "fail", "write", "call"):
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            role_arn = f"arn:aws:iam::{ACCOUNT}:role/worker"
            host.register(
                FunctionSpec(
                    name, arn, f"app.{name}", tmp_path / "code", role_arn, f"/aws/lambda/{name}", timeout_seconds=60
                )
            )
        host.add_qualifier("echo", "live", "1")
        front.attach(host)
        yield host


@pytest.fixture
def lambda_client(client: Client, host: FunctionHost) -> Any:
    return client("lambda")


def test_invoke_returns_payload_version_and_log(lambda_client: Any) -> None:
    response = lambda_client.invoke(FunctionName="echo", Payload=b'{"a": 1}', LogType="Tail")
    assert response["StatusCode"] == 200 and response["ExecutedVersion"] == "$LATEST"
    assert json.load(response["Payload"]) == {"a": 1}
    assert "heard {'a': 1}" in base64.b64decode(response["LogResult"]).decode()
    assert "FunctionError" not in response


def test_invoke_of_an_alias_reports_its_version(lambda_client: Any) -> None:
    assert lambda_client.invoke(FunctionName="echo", Qualifier="live")["ExecutedVersion"] == "1"


def test_function_error_is_marked(lambda_client: Any) -> None:
    response = lambda_client.invoke(FunctionName="fail")
    assert response["FunctionError"] == "Unhandled" and response["StatusCode"] == 200
    assert json.load(response["Payload"])["errorType"] == "KeyError"


def test_event_invocation_is_accepted_at_once(lambda_client: Any) -> None:
    assert lambda_client.invoke(FunctionName="echo", InvocationType="Event")["StatusCode"] == 202
    assert lambda_client.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"FunctionName": "absent"}, "ResourceNotFoundException"),
        ({"FunctionName": "echo", "Payload": b"{"}, "InvalidRequestContentException"),
        ({"FunctionName": "echo", "Payload": b'"' + b"x" * 6_291_456 + b'"'}, "RequestEntityTooLargeException"),
    ],
)
def test_bad_invocations_have_lambdas_errors(lambda_client: Any, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        lambda_client.invoke(**arguments)
    assert caught.value.response["Error"]["Code"] == code


def test_invoke_needs_the_permission_on_that_function(host: FunctionHost, client: Client, role: MakeRole) -> None:
    worker = client("lambda", role(allow("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo")))
    worker.invoke(FunctionName="echo")
    for arguments in ({"FunctionName": "fail"}, {"FunctionName": "echo", "Qualifier": "live"}):
        with pytest.raises(ClientError, match="not authorized to perform: lambda:InvokeFunction on resource"):
            worker.invoke(**arguments)


def test_function_calls_aws_in_its_own_role(lambda_client: Any, client: Client, role: MakeRole) -> None:
    mine = make_table(client, "mine")
    make_table(client, "other")
    role(allow("dynamodb:PutItem", mine))
    arn = json.load(lambda_client.invoke(FunctionName="write", Payload=b'"mine"')["Payload"])
    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/")
    failed = json.load(lambda_client.invoke(FunctionName="write", Payload=b'"other"')["Payload"])
    assert failed["errorType"] in ("AccessDeniedException", "ClientError")
    assert "assumed-role/worker/" in failed["errorMessage"] and "table/other" in failed["errorMessage"]


def test_function_invokes_a_function(lambda_client: Any, role: MakeRole) -> None:
    role(allow("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"))
    assert json.load(lambda_client.invoke(FunctionName="call", Payload=b'"echo"')["Payload"]) == "{}"
