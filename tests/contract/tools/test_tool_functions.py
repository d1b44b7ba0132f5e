"""The way from the runner to a tool's function on AWS: what is sent, and what each end of the function means."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    PolicyDenied,
    StoreUnavailable,
    ToolBusy,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.runtime.adapters.data_keys_sts import StsDataKeys, build_policy
from pentad.tools.runtime.adapters.functions_lambda import LambdaFunctions
from pentad.tools.runtime.function_names import name_function
from pentad.tools.runtime.handed import HandedCall, SessionKeys, ToolAnswer
from tests.moto_clients import new_client

RUN = "run_" + "0" * 26
VERSION = "arn:aws:lambda:us-east-1:123456789012:function:pentad-dev-tool-date-time:3"
KEYS = SessionKeys(access_key_id="ASIA", secret_access_key="s", session_token="t")
CALL = HandedCall(
    op="run",
    tenant_id="acme",
    run_id=RUN,
    session_id="s1",
    agent="helper",
    step=1,
    index=0,
    effect_key="k",
    arguments={"n": None, "text": "hi"},
    deadline=1_000.0,
)
OWN = "pentad-dev-tool-date-time"
SENT = {"Payload": ANY}


class Keys:
    """Gives the same keys for every call."""

    def get(self, tool: str, tenant_id: str, run_id: str, *, seconds: float) -> SessionKeys:
        return KEYS


@contextmanager
def functions() -> Iterator[tuple[LambdaFunctions, Stubber, list[float]]]:
    client, waits = new_client("lambda"), []

    def connect(seconds: float) -> Any:
        waits.append(seconds)
        return client

    with Stubber(client) as stub:
        yield (
            LambdaFunctions(
                connect, "pentad-dev-tool-", keys=Keys(), prove=lambda tool, call: tool, clock=lambda: 970.0
            ),
            stub,
            waits,
        )
        stub.assert_no_pending_responses()


def answer(payload: bytes, **values: Any) -> dict[str, Any]:
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload)), **values}


@pytest.mark.parametrize(("function", "invoked"), [(None, "pentad-dev-tool-date-time"), (VERSION, VERSION)])
def test_the_call_goes_to_the_tools_function_with_keys_and_proof(function: str | None, invoked: str) -> None:
    whole = CALL.model_copy(update={"keys": KEYS, "identity": "date_time"})
    # A version of before there was a trace refuses the field.
    given = whole.model_dump_json(exclude={"traceparent"}).encode()
    said = ToolAnswer(kind="value", value={"a": [1, None]}).model_dump_json().encode()
    with functions() as (made, stub, waits):
        stub.add_response("invoke", answer(said), {"FunctionName": invoked, "Payload": given})
        assert made.call("date_time", CALL, function=function).value == {"a": [1, None]}
    assert json.loads(given)["arguments"] == {"n": None, "text": "hi"}
    assert waits == [35.0], "the call's own time, and a little more: the function ends first"


def test_a_callers_trace_goes_along() -> None:
    call = CALL.model_copy(update={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    given = call.model_copy(update={"keys": KEYS, "identity": "date_time"}).model_dump_json().encode()
    said = ToolAnswer(kind="value", value=1).model_dump_json().encode()
    with functions() as (made, stub, _):
        stub.add_response("invoke", answer(said), {"FunctionName": OWN, "Payload": given})
        assert made.call("date_time", call, function=None).value == 1
    assert json.loads(given)["traceparent"] == call.traceparent


def test_of_a_newer_versions_answer_unknown_fields_are_left_out_and_it_is_from_outside() -> None:
    """During a rollout both versions run; an answer that is refused would lose the words of an error."""
    said = ToolAnswer(kind="error", text="the date is wrong", error_type="InvalidInput", callers_fault=True)
    newer = json.dumps(json.loads(said.model_dump_json()) | {"of_tomorrow": [1]}).encode()
    strange = newer.replace(b'"error"', b'"of_tomorrow"')
    with functions() as (made, stub, _):
        stub.add_response("invoke", answer(newer), {"FunctionName": OWN} | SENT)
        assert made.call("date_time", CALL, function=None) == said.model_copy(update={"untrusted": True})
        stub.add_response("invoke", answer(strange), {"FunctionName": OWN} | SENT)
        assert "no usable answer" in made.call("date_time", CALL, function=None).text


def test_an_answer_has_no_field_that_an_older_runner_refuses_where_that_says_nothing() -> None:
    sent = json.loads(ToolAnswer(kind="error", text="x", error_type="ToolFailed").model_dump_json(by_alias=True))
    assert not {"callers_fault", "sources"} & set(sent)


@pytest.mark.parametrize(
    "function",
    [
        VERSION.replace("date-time", "notes"),
        VERSION.replace("pentad-dev", "other"),
        "pentad-dev-tool-date-time",
        "arn:aws:lambda:us-east-1:123456789012:function:pentad-dev-api",
        "x",
    ],
)
def test_a_function_that_is_not_the_tools_is_not_called(function: str) -> None:
    with functions() as (made, _, _), pytest.raises(PolicyDenied):
        made.call("date_time", CALL, function=function)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_version_whose_function_has_moved_into_a_group_or_out_of_one_is_found_there(code: str) -> None:
    said = ToolAnswer(kind="value", value="moved").model_dump_json().encode()
    moved = name_function("pentad-dev-tool-", "date_time", grouped=True)
    assert re.fullmatch(r"pentad-dev-tool-\d\d-date-time", moved)
    with functions() as (made, stub, _):
        for name in (VERSION, "pentad-dev-tool-date-time"):
            stub.add_client_error("invoke", code, expected_params={"FunctionName": name} | SENT)
        stub.add_response("invoke", answer(said), {"FunctionName": moved} | SENT)
        assert made.call("date_time", CALL, function=VERSION).value == "moved"
        stub.add_response("invoke", answer(said), {"FunctionName": VERSION.replace(OWN, moved)} | SENT)
        assert made.call("date_time", CALL, function=VERSION.replace(OWN, moved)).value == "moved"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (b'{"errorType": "Sandbox.Timedout", "errorMessage": "secret"}', ToolUnavailable),
        (b'{"errorType": "Runtime.ExitError", "errorMessage": "secret"}', ToolUnavailable),
        (b'{"errorType": "ConfigurationError", "errorMessage": "secret"}', ConfigurationError),
        (b'{"errorType": "Runtime.ImportModuleError", "errorMessage": "secret"}', ToolFailed),
        (b'{"errorType": "StepDone", "errorMessage": "secret"}', ToolFailed),
        (b"secret", ToolFailed),
        (b"[]", ToolFailed),
    ],
)
def test_a_function_that_died_is_told_without_its_words(told: bytes, error: type[Exception]) -> None:
    with functions() as (made, stub, _):
        stub.add_response("invoke", answer(told, FunctionError="Unhandled"))
        with pytest.raises(error) as caught:
            made.call("date_time", CALL, function=None)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("TooManyRequestsException", ToolBusy),
        ("EC2ThrottledException", ToolBusy),
        ("ResourceConflictException", ToolBusy),
        ("SnapStartNotReadyException", ToolBusy),
        ("ResourceNotFoundException", ConfigurationError),
        ("AccessDeniedException", ConfigurationError),
        ("ServiceException", ToolUnavailable),
    ],
)
def test_lambdas_own_refusals(code: str, error: type[Exception]) -> None:
    with functions() as (made, stub, _):
        stub.add_client_error("invoke", code, http_status_code=400)
        with pytest.raises(error):
            made.call("date_time", CALL, function=None)


@pytest.mark.parametrize("asked", ["keys", "proof", "timeout", "connection"])
def test_what_could_not_be_sent_has_begun_nothing(asked: str) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the key service did not answer")

    class Unreached:
        def invoke(self, **_: Any) -> Any:
            kind = ConnectTimeoutError if asked == "timeout" else EndpointConnectionError
            raise kind(endpoint_url="lambda")

    keys = Keys()
    if asked == "keys":
        keys.get = fail  # type: ignore[method-assign]
    prove = fail if asked == "proof" else lambda tool, call: None
    made = LambdaFunctions(lambda seconds: Unreached(), "p-", keys=keys, prove=prove)
    with pytest.raises(ToolThrottled, match="nothing was begun"):
        made.call("date_time", CALL, function=None)


def test_no_answer_in_time_may_have_done_anything() -> None:
    class Silent:
        def invoke(self, **_: Any) -> Any:
            raise ReadTimeoutError(endpoint_url="lambda")

    made = LambdaFunctions(lambda seconds: Silent(), "p-", keys=Keys(), prove=lambda tool, call: None)
    with pytest.raises(ToolUnavailable):
        made.call("date_time", CALL, function=None)


@pytest.mark.parametrize("said", [b"{}", b'{"kind": "root"}', b'{"kind": "value", "masked": -1}', b"no json", b"[]"])
def test_an_answer_that_is_none_is_the_tools_failure(said: bytes) -> None:
    with functions() as (made, stub, _):
        stub.add_response("invoke", answer(said))
        got = made.call("date_time", CALL, function=None)
    assert (got.kind, got.error_type) == ("error", "ToolFailed")


def test_a_call_that_lambda_would_not_take_is_refused_before() -> None:
    large = CALL.model_copy(update={"arguments": {"text": "x" * 6_000_000}})
    with functions() as (made, _, _), pytest.raises(InvalidInput, match="bytes"):
        made.call("date_time", large, function=None)


ROLE = "arn:aws:iam::123456789012:role/data"


def session(number: int, at: float) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": f"ASIA{number:012d}AAAA",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": datetime.fromtimestamp(at, UTC),
        }
    }


def expected(name: Any, seconds: int, until: float, **tags: str) -> dict[str, Any]:
    return {
        "RoleArn": ROLE,
        "RoleSessionName": name,
        "DurationSeconds": seconds,
        "Policy": build_policy(until),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def test_a_session_is_one_tools_for_one_tenant_and_a_graphs_for_one_run() -> None:
    client, clock = new_client("sts"), [1_000.0]
    needs: Any = {"notes": ["records"], "graph": ["records", "checkpoints"]}
    keys = StsDataKeys(client, ROLE, needs, clock=lambda: clock[0])
    with Stubber(client) as stub:
        stub.add_response("assume_role", session(1, 1_900), expected(ANY, 900, 1_120, tool="notes", tenant="acme"))
        stub.add_response("assume_role", session(2, 1_900), expected(ANY, 900, 1_120, tool="notes", tenant="other"))
        stub.add_response(
            "assume_role", session(3, 1_900), expected(ANY, 900, 1_120, tool="graph", tenant="acme", run="r1")
        )
        stub.add_response(
            "assume_role", session(4, 1_900), expected(ANY, 900, 1_120, tool="graph", tenant="acme", run="r2")
        )
        stub.add_response("assume_role", session(5, 3_000), expected(ANY, 970, 1_970, tool="notes", tenant="acme"))
        first = keys.get("notes", "acme", "r1", seconds=30)
        assert keys.get("notes", "acme", "r2", seconds=30) == first, "the tenant's records, whatever the run"
        assert keys.get("notes", "other", "r1", seconds=30) != first
        assert keys.get("graph", "acme", "r1", seconds=30) != keys.get("graph", "acme", "r2", seconds=30)
        # A session that would end within the call is not handed over.
        assert keys.get("notes", "acme", "r1", seconds=880) != first
        stub.assert_no_pending_responses()


def test_a_session_is_worth_nothing_soon_after_the_calls_that_it_was_made_for() -> None:
    client, clock = new_client("sts"), [1_000.0]
    keys = StsDataKeys(client, ROLE, {"notes": ["records"]}, clock=lambda: clock[0])
    with Stubber(client) as stub:
        stub.add_response("assume_role", session(1, 1_900), expected(ANY, 900, 1_105, tool="notes", tenant="acme"))
        stub.add_response("assume_role", session(2, 1_961), expected(ANY, 900, 1_166, tool="notes", tenant="acme"))
        first = keys.get("notes", "acme", "r1", seconds=15)
        clock[0] = 1_059.0
        assert keys.get("notes", "acme", "r1", seconds=15) == first, "shared for a minute"
        clock[0] = 1_061.0
        assert keys.get("notes", "acme", "r1", seconds=15) != first, "it would end before the next call has its time"
        stub.assert_no_pending_responses()
    [statement] = json.loads(build_policy(1_105.2))["Statement"]
    assert statement["Condition"] == {"DateLessThan": {"aws:CurrentTime": "1970-01-01T00:18:26Z"}}


def test_a_tool_without_data_gets_no_session() -> None:
    client = new_client("sts")
    with Stubber(client):
        assert StsDataKeys(client, ROLE, {}).get("calculator", "acme", "r1", seconds=30) is None


def test_a_token_service_that_does_not_answer_is_transient() -> None:
    client = new_client("sts")
    with Stubber(client) as stub:
        stub.add_client_error("assume_role", "ServiceUnavailable", http_status_code=503)
        with pytest.raises(StoreUnavailable):
            StsDataKeys(client, ROLE, {"notes": ["records"]}).get("notes", "acme", "r1", seconds=30)


def test_no_secret_shows_in_what_is_printed() -> None:
    shown = repr(CALL.model_copy(update={"keys": KEYS, "identity": "proof-of-identity"}))
    assert "proof-of-identity" not in shown
    assert "session_token" not in shown and "secret_access_key" not in shown
