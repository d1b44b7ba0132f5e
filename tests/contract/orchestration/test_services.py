"""Adapters of AWS services, against botocore's stubs: requests are checked against the service's own model."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from pentad.api.adapters.bulk_stepfunctions import StepFunctionsBulk
from pentad.api.adapters.documents_s3 import S3Documents, get_signing_client
from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
from pentad.api.identity.keys import create_key, list_keys, revoke_key
from pentad.api.ports import UploadTerms
from pentad.aws.kms_text import KmsText
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidTransition,
    NotFound,
    PolicyDenied,
    StoreUnavailable,
    ToolBusy,
    ToolFailed,
)
from pentad.orchestration.approvals.adapters.ciphers import KmsCipher, MemoryCipher
from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions
from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge
from pentad.orchestration.runs.adapters.tool_lambda import LambdaTools
from pentad.orchestration.runs.machine_arns import MachineArns
from tests.moto_clients import new_client

from .stores import START, Stores

PREFIX = "arn:aws:states:us-east-1:123456789012:stateMachine:pentad-dev-"
AGENTS = {
    name: AgentSpec(name=name, description="d", prompt="p", pattern=pattern)
    for name, pattern in (("assistant", "loop"), ("quick", "reply"))
}
MACHINES = MachineArns(PREFIX, Catalog(agents=AGENTS, tools={}))
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:pentad-dev-agent-assistant:run_1"
RUN = "run_" + "0" * 26


@contextmanager
def stubbed(service: Any) -> Iterator[tuple[Any, Stubber]]:
    client = new_client(service)
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("agent", "machine"),
    [("assistant", "agent-assistant"), ("quick", "reply-quick"), ("a-workflow", "agent-a-workflow")],
)
def test_an_execution_is_started_by_name_at_the_live_alias_of_its_kind_of_machine(agent: str, machine: str) -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response(
            "start_execution",
            {"executionArn": EXECUTION, "startDate": START},
            {"stateMachineArn": f"{PREFIX}{machine}:live", "name": "run_1", "input": '{"run":"run_1"}'},
        )
        assert StepFunctions(client, MACHINES).start(agent, "run_1", {"run": "run_1"}) == EXECUTION


def test_an_execution_that_exists_is_the_same() -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
        assert StepFunctions(client, MACHINES).start("assistant", "run_1", {}) == EXECUTION


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("StateMachineDoesNotExist", NotFound),
        ("ThrottlingException", StoreUnavailable),
        ("AccessDeniedException", ConfigurationError),
    ],
)
def test_errors_of_a_start_are_translated(code: str, error: type[Exception]) -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("start_execution", code, http_status_code=400)
        with pytest.raises(error):
            StepFunctions(client, MACHINES).start("assistant", "run_1", {})


BULK = "arn:aws:states:us-east-1:123456789012:execution:pentad-dev-bulk-ingest:b1"
MAP_RUN = "arn:aws:states:us-east-1:123456789012:mapRun:pentad-dev-bulk-ingest/documents:r1"


def test_a_bulk_ingestion_is_started_once_for_the_tenants_folder() -> None:
    given = {"stateMachineArn": f"{PREFIX}bulk-ingest:live", "name": "b1", "input": '{"prefix": "acme/docs/"}'}
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response("start_execution", {"executionArn": BULK, "startDate": START}, given)
        stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
        for _ in range(2):
            StepFunctionsBulk(client, PREFIX).start("acme", "b1", "docs/")


@pytest.mark.parametrize("begun", [True, False])
def test_a_bulk_ingestion_is_as_far_as_its_map_run(begun: bool) -> None:
    counts = dict.fromkeys(("pending", "running", "timedOut", "aborted", "resultsWritten"), 1)
    counts |= {"succeeded": 5, "failed": 2, "total": 11}
    machine = f"{PREFIX}bulk-ingest"
    described = {"executionArn": BULK, "stateMachineArn": machine, "status": "RUNNING", "startDate": START}
    listed = {"executionArn": BULK, "mapRunArn": MAP_RUN, "stateMachineArn": machine, "startDate": START}
    run = {"mapRunArn": MAP_RUN, "executionArn": BULK, "status": "RUNNING", "startDate": START, "maxConcurrency": 3}
    run |= {"toleratedFailurePercentage": 100.0, "toleratedFailureCount": 0}
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response("describe_execution", described, {"executionArn": BULK})
        stub.add_response("list_map_runs", {"mapRuns": [listed] if begun else []}, {"executionArn": BULK})
        if begun:
            found = run | {"itemCounts": counts, "executionCounts": counts}
            stub.add_response("describe_map_run", found, {"mapRunArn": MAP_RUN})
        told = StepFunctionsBulk(client, PREFIX).get("b1")
    assert told.status == "running"
    assert (told.documents, told.done, told.failed, told.running) == ((11, 9, 4, 1) if begun else (0, 0, 0, 0))


def test_a_bulk_ingestion_that_does_not_exist_is_not_found() -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("describe_execution", "ExecutionDoesNotExist", http_status_code=400)
        with pytest.raises(NotFound):
            StepFunctionsBulk(client, PREFIX).get("b1")


def test_a_waiting_task_is_woken_with_its_output() -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_response("send_task_success", {}, {"taskToken": "token", "output": '{"calls":[]}'})
        StepFunctions(client, MACHINES).complete_task("token", {"calls": []})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_waits_no_longer_is_told(code: str) -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("send_task_success", code, http_status_code=400)
        with pytest.raises(InvalidTransition):
            StepFunctions(client, MACHINES).complete_task("token", {})


@pytest.mark.parametrize(("status", "running"), [("RUNNING", True), ("SUCCEEDED", False), ("ABORTED", False)])
def test_an_execution_tells_whether_it_runs(status: str, running: bool) -> None:
    with stubbed("stepfunctions") as (client, stub):
        reply = {"executionArn": EXECUTION, "stateMachineArn": PREFIX + "agent-a", "status": status, "startDate": START}
        stub.add_response("describe_execution", reply, {"executionArn": EXECUTION})
        assert StepFunctions(client, MACHINES).is_running(EXECUTION) is running


def test_an_execution_that_does_not_exist_yet_counts_as_running() -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("describe_execution", "ExecutionDoesNotExist", http_status_code=400)
        assert StepFunctions(client, MACHINES).is_running(EXECUTION)


def test_an_express_execution_counts_as_running_and_has_no_history_without_a_call() -> None:
    express = "arn:aws:states:us-east-1:123456789012:express:pentad-dev-reply-quick:run_1:3f2a"
    with stubbed("stepfunctions") as (client, _):
        assert StepFunctions(client, MACHINES).is_running(express)
        assert StepFunctions(client, MACHINES).get_history(express) == []


def test_a_history_is_read_page_by_page() -> None:
    def event(number: int) -> dict[str, Any]:
        return {"timestamp": START, "type": "ExecutionStarted", "id": number}

    with stubbed("stepfunctions") as (client, stub):
        request = {"executionArn": EXECUTION, "maxResults": 1000}
        stub.add_response("get_execution_history", {"events": [event(1)], "nextToken": "t"}, request)
        stub.add_response("get_execution_history", {"events": [event(2)]}, request | {"nextToken": "t"})
        assert [one["id"] for one in StepFunctions(client, MACHINES).get_history(EXECUTION)] == [1, 2]


def test_a_history_of_nothing_is_not_found() -> None:
    with stubbed("stepfunctions") as (client, stub):
        stub.add_client_error("get_execution_history", "ExecutionDoesNotExist", http_status_code=400)
        with pytest.raises(NotFound):
            StepFunctions(client, MACHINES).get_history(EXECUTION)


def test_an_event_is_put_on_the_bus() -> None:
    entry = {"Source": "pentad", "DetailType": "pentad.run.finished", "Detail": '{"run": "r"}', "EventBusName": "bus"}
    with stubbed("events") as (client, stub):
        stub.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{}]}, {"Entries": [entry]})
        EventBridge(client, "bus").publish("pentad.run.finished", {"run": "r"})


def test_an_event_that_the_bus_did_not_take_is_told() -> None:
    with stubbed("events") as (client, stub):
        reply = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "x"}]}
        stub.add_response("put_events", reply)
        with pytest.raises(StoreUnavailable, match="InternalFailure"):
            EventBridge(client, "bus").publish("x", {})


def _answer(payload: Any, **values: Any) -> dict[str, Any]:
    data = json.dumps(payload).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(data), len(data)), **values}


def test_an_undo_invokes_the_tool_runner() -> None:
    payload = {"op": "undo", "tenant": "acme", "run": RUN, "step": 1, "index": 2}
    with stubbed("lambda") as (client, stub):
        request = {"FunctionName": "arn:runner", "Payload": json.dumps(payload).encode()}
        stub.add_response("invoke", _answer({"index": 2, "status": "undone"}), request)
        LambdaTools(client, "arn:runner").undo("acme", RUN, 1, 2)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"errorType": "InvalidTransition", "errorMessage": "the call left nothing to undo"}, InvalidTransition),
        ({"errorType": "EffectUncertain", "errorMessage": "m"}, EffectUncertain),
        ({"errorType": "KeyError", "errorMessage": "secret"}, ToolFailed),
        ("nonsense", ToolFailed),
    ],
)
def test_an_error_of_the_tool_comes_back_under_its_name(payload: Any, error: type[Exception]) -> None:
    with stubbed("lambda") as (client, stub):
        stub.add_response("invoke", _answer(payload, FunctionError="Unhandled"))
        with pytest.raises(error) as caught:
            LambdaTools(client, "arn:runner").undo("acme", RUN, 1, 2)
        assert "secret" not in str(caught.value)


def test_an_undo_waits_for_concurrency_a_few_times() -> None:
    waits: list[float] = []
    with stubbed("lambda") as (client, stub):
        for _ in range(2):
            stub.add_client_error("invoke", "TooManyRequestsException", http_status_code=429)
        stub.add_response("invoke", _answer({"index": 2, "status": "undone"}))
        LambdaTools(client, "arn:runner", sleep=waits.append).undo("acme", RUN, 1, 2)
    assert len(waits) == 2


def test_an_undo_waits_for_the_tools_own_function_too() -> None:
    waits: list[float] = []
    busy = {"errorType": "ToolBusy", "errorMessage": "Lambda had no room for the tool's function"}
    with stubbed("lambda") as (client, stub):
        for _ in range(3):
            stub.add_response("invoke", _answer(busy, FunctionError="Unhandled"))
        stub.add_response("invoke", _answer({"index": 2, "status": "undone"}))
        LambdaTools(client, "arn:runner", sleep=waits.append).undo("acme", RUN, 1, 2)
        stub.assert_no_pending_responses()
        for _ in range(5):
            stub.add_response("invoke", _answer(busy, FunctionError="Unhandled"))
        with pytest.raises(ToolBusy):
            LambdaTools(client, "arn:runner", sleep=waits.append).undo("acme", RUN, 1, 2)
    assert len(waits) == 3 + 4


def test_an_undo_that_stays_throttled_is_unavailable_within_the_apis_time() -> None:
    waits: list[float] = []
    with stubbed("lambda") as (client, stub):
        for _ in range(5):
            stub.add_client_error("invoke", "TooManyRequestsException", http_status_code=429)
        with pytest.raises(StoreUnavailable):
            LambdaTools(client, "arn:runner", sleep=waits.append).undo("acme", RUN, 1, 2)
    assert sum(waits) <= 15


def test_kms_is_given_the_tenant_and_the_approval() -> None:
    context = {"tenant": "acme", "approval": "apr_1"}
    with stubbed("kms") as (client, stub):
        stub.add_response(
            "encrypt",
            {"CiphertextBlob": b"sealed"},
            {"KeyId": "key", "Plaintext": b"token", "EncryptionContext": context},
        )
        stub.add_response(
            "decrypt",
            {"Plaintext": b"token"},
            {"KeyId": "key", "CiphertextBlob": b"sealed", "EncryptionContext": context},
        )
        cipher = KmsCipher(KmsText(client, "key"))
        sealed = cipher.encrypt("token", tenant_id="acme", approval_id="apr_1")
        assert cipher.decrypt(sealed, tenant_id="acme", approval_id="apr_1") == "token"


@pytest.mark.parametrize(("tenant", "approval"), [("other", "apr_1"), ("acme", "apr_2")])
def test_the_memory_cipher_binds_as_kms_does(tenant: str, approval: str) -> None:
    cipher = MemoryCipher()
    sealed = cipher.encrypt("token", tenant_id="acme", approval_id="apr_1")
    with pytest.raises(PolicyDenied):
        cipher.decrypt(sealed, tenant_id=tenant, approval_id=approval)


def test_uploads_are_signed_by_version_4_with_all_that_they_may_be(
    monkeypatch: pytest.MonkeyPatch, dynamodb: Stores
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    terms = UploadTerms("acme/a b.md", "text/markdown", 5, "ab" * 32, 300, "k" * 12)
    get_signing_client.cache_clear()
    try:
        store = S3Documents(get_signing_client(), "payload")
        url, headers = store.sign_upload(terms)
        dynamodb.s3.put_object(Bucket="payload", Key="acme/a b.md.old", Body=b"another")
        etag = dynamodb.s3.put_object(Bucket="payload", Key="acme/a b.md", Body=b"before")["ETag"]
        _, replacing = store.sign_upload(terms)
    finally:
        get_signing_client.cache_clear()
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    signed = "content-length;content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-meta-pentad-key"
    assert f"X-Amz-SignedHeaders={quote(signed, safe='')}" in url
    assert "X-Amz-Expires=300" in url
    assert headers == {
        "Content-Type": "text/markdown",
        "Content-Length": "5",
        "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex("ab" * 32)).decode(),
        "x-amz-meta-pentad-key": "k" * 12,
        "If-None-Match": "*",
    }
    assert replacing == {name: value for name, value in headers.items() if name != "If-None-Match"} | {"If-Match": etag}


def test_api_keys_are_kept_in_the_state_table(dynamodb: Stores) -> None:
    assert dynamodb.state is not None
    store = DynamoKeys(dynamodb.state)
    key, token = create_key(store, "acme", now=START, user_id="ann")
    assert store.get("acme", key.key_id) == key
    assert store.get("other", key.key_id) is None
    revoked = revoke_key(store, "acme", key.key_id, now=START)
    assert list_keys(store, "acme") == [revoked]
    assert (revoked.disabled_at, revoke_key(store, "acme", key.key_id, now=START)) == (START, revoked)
    assert token.rsplit(".", 1)[1] not in str(list(dynamodb.state.iter_items("T#acme#KEYS")))
    with pytest.raises(InvalidTransition):
        store.put(key)
    with pytest.raises(NotFound):
        revoke_key(store, "acme", "000000000000", now=START)
