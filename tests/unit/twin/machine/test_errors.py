"""Names of errors: which list catches which, and what a service's error is called."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from twin.machine import clients
from twin.machine.encoding import MAX_BYTES, dump_json, is_within_quota
from twin.machine.errors import match_error


@pytest.mark.parametrize(
    ("names", "error", "caught"),
    [
        ({"Mine"}, "Mine", True),
        ({"Mine"}, "Other", False),
        ({"States.TaskFailed"}, "Mine", True),
        ({"States.TaskFailed"}, None, True),
        ({"States.TaskFailed"}, "States.Timeout", False),
        ({"States.TaskFailed"}, "States.Permissions", True),
        ({"States.TaskFailed"}, "States.DataLimitExceeded", True),
        ({"States.TaskFailed"}, "States.HeartbeatTimeout", True),
        ({"States.TaskFailed"}, "States.Runtime", False),
        ({"States.HeartbeatTimeout"}, "States.Timeout", True),
        ({"States.ALL"}, "States.Timeout", True),
        ({"States.ALL"}, "States.QueryEvaluationError", True),
        ({"States.ALL"}, "States.Runtime", False),
        ({"States.ALL"}, "States.DataLimitExceeded", True),
        ({"States.Runtime"}, "States.Runtime", True),
        ({"States.DataLimitExceeded"}, "States.DataLimitExceeded", True),
    ],
)
def test_error_equals(names: set[str | None], error: str | None, caught: bool) -> None:
    assert match_error(names, error) is caught


def _client_error(code: str, cls: type[ClientError] = ClientError) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "r"},
    }
    return cls(response, "Op")  # type: ignore[arg-type]


class ConditionalCheckFailedException(ClientError):
    """Stands for an error that the service's model has."""


def test_a_modelled_error_keeps_its_name() -> None:
    error = _client_error("ConditionalCheckFailedException", ConditionalCheckFailedException)
    assert clients.translate_optimised_error("dynamodb", error) == (
        "DynamoDB.ConditionalCheckFailedException",
        "no (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException; "
        "Request ID: r; Proxy: null)",
    )


def test_a_denied_call_is_the_base_error_of_the_service() -> None:
    named = clients.translate_optimised_error("lambda", _client_error("AccessDeniedException"))
    assert named is not None
    assert named[0] == "Lambda.AWSLambdaException"
    assert clients.translate_sdk_error("sfn", _client_error("AccessDenied")) == (
        "Sfn.SfnException",
        "no (Service: Sfn, Status Code: 400, Request ID: r)",
    )


def test_a_broken_connection_is_an_error_of_the_client() -> None:
    named = clients.translate_optimised_error("lambda", EndpointConnectionError(endpoint_url="http://127.0.0.1"))
    assert named is not None
    assert named[0] == "Lambda.SdkClientException"


def test_other_errors_have_no_service_name() -> None:
    assert clients.translate_optimised_error("lambda", ValueError("x")) is None
    assert clients.translate_optimised_error("glue", _client_error("X")) is None


def test_arguments_take_the_names_of_the_service() -> None:
    given = {"StateMachineArn": "a", "Input": {"Keep": "Case"}, "Name": None}
    assert clients.to_boto(given, service="stepfunctions", action="start_execution") == {
        "stateMachineArn": "a",
        "input": '{"Keep":"Case"}',
    }


def test_responses_take_the_names_of_the_machine_but_maps_keep_their_keys() -> None:
    item = {"Item": {"lower": {"M": {"inner": {"S": "x"}}}}}
    assert clients.from_boto(item, service="dynamodb", action="get_item", as_millis=True) == item
    found = clients.from_boto({"executionArn": "a"}, service="stepfunctions", action="start_execution", as_millis=True)
    assert found == {"ExecutionArn": "a"}


def test_the_limit_counts_bytes_of_compact_utf8() -> None:
    assert dump_json({"a": "ü", "b": [1, 2]}) == '{"a":"ü","b":[1,2]}'
    assert is_within_quota("x" * MAX_BYTES)
    assert not is_within_quota("ü" * (MAX_BYTES // 2) + "x")


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert dump_json("\ud800") == '"\\ud800"'
