"""The API of executions: names, input, paging, versions, Express machines, and the interpreter's own switch."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.twin.machine.stage import ACCOUNT, REGION, ROLE, Stage
from twin.moto_patches.stepfunctions import install as stepfunctions

pytestmark = pytest.mark.twin

_PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
_WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10_000_000, "End": True}}}


def _code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_the_same_name_and_input_return_the_running_execution(stage: Stage) -> None:
    arn = stage.create(_WAIT)
    first = stage.start_execution(arn, {"a": 1}, name="once")
    assert stage.start_execution(arn, {"a": 1}, name="once") == first
    listed = stage.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert [e["executionArn"] for e in listed] == [first]


def test_an_execution_that_is_listed_and_not_started_yet_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = stage.create(_WAIT)
    stage.start_execution(arn, {}, name="early")
    [early] = stepfunctions_parser_backends[ACCOUNT][REGION].describe_state_machine(arn).executions
    monkeypatch.setattr(early, "exec_status", None)
    [listed] = stage.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert listed["status"] == "RUNNING"


def test_the_same_name_with_another_input_is_refused(stage: Stage) -> None:
    arn = stage.create(_WAIT)
    stage.start_execution(arn, {"a": 1}, name="once")
    start = stage.client("stepfunctions").start_execution
    assert _code(start, stateMachineArn=arn, name="once", input='{"a":2}') == "ExecutionAlreadyExists"


def test_the_name_of_a_finished_execution_is_refused(stage: Stage) -> None:
    arn = stage.create(_PASS)
    stage.wait(stage.start_execution(arn, {}, name="once"))
    start = stage.client("stepfunctions").start_execution
    assert _code(start, stateMachineArn=arn, name="once", input="{}") == "ExecutionAlreadyExists"


def test_executions_without_a_name_get_one_each(stage: Stage) -> None:
    arn = stage.create(_PASS)
    assert stage.start_execution(arn) != stage.start_execution(arn)


@pytest.mark.parametrize("text", ["{", "NaN", json.dumps("x" * 262_144)])
def test_input_that_is_no_json_or_too_large_is_refused(stage: Stage, text: str) -> None:
    start = stage.client("stepfunctions").start_execution
    assert _code(start, stateMachineArn=stage.create(_PASS), input=text) == "InvalidExecutionInput"


def test_input_is_given_back_as_it_was_sent(stage: Stage) -> None:
    states = stage.client("stepfunctions")
    text = '{ "a" : "ü\\n" }'
    arn = states.start_execution(stateMachineArn=stage.create(_PASS), input=text)["executionArn"]
    ended = stage.wait(arn)
    assert ended["input"] == text
    assert json.loads(ended["output"]) == json.loads(text)
    assert ended["inputDetails"] == {"included": True}


def test_an_unknown_machine_does_not_exist(stage: Stage) -> None:
    start = stage.client("stepfunctions").start_execution
    assert _code(start, stateMachineArn=stage.create(_PASS) + "x") == "StateMachineDoesNotExist"


def test_history_is_paged_in_both_directions(stage: Stage) -> None:
    arn = stage.start_execution(stage.create(_PASS))
    stage.wait(arn)
    states = stage.client("stepfunctions")
    first = states.get_execution_history(executionArn=arn, maxResults=3)
    second = states.get_execution_history(executionArn=arn, maxResults=3, nextToken=first["nextToken"])
    assert [e["id"] for e in first["events"] + second["events"]] == [1, 2, 3, 4]
    assert "nextToken" not in second
    backwards = states.get_execution_history(executionArn=arn, reverseOrder=True, includeExecutionData=False)
    assert [e["id"] for e in backwards["events"]] == [4, 3, 2, 1]
    assert "output" not in backwards["events"][0]["executionSucceededEventDetails"]


def test_transitions_are_counted_from_the_history(stage: Stage) -> None:
    arn = stage.start_execution(stage.create(_PASS))
    stage.wait(arn)
    assert stepfunctions.count_transitions(stage.events(arn)) == 1


def test_executions_are_listed_newest_first_and_by_status(stage: Stage) -> None:
    arn = stage.create(_PASS)
    started = [stage.start_execution(arn) for _ in range(3)]
    for execution in started:
        stage.wait(execution)
    states = stage.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [e["executionArn"] for e in listed] == started[::-1]
    assert all(e["stopDate"] >= e["startDate"] for e in listed)
    assert states.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"] == []


def test_a_running_execution_keeps_its_definition_when_the_machine_changes(stage: Stage) -> None:
    arn = stage.create(_WAIT)
    running = stage.start_execution(arn)
    states = stage.client("stepfunctions")
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(_PASS))
    assert stage.wait(stage.start_execution(arn))["status"] == "SUCCEEDED"
    assert states.describe_execution(executionArn=running)["status"] == "RUNNING"


def test_an_alias_runs_its_version(stage: Stage) -> None:
    states = stage.client("stepfunctions")
    arn = stage.create({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "old", "End": True}}})
    version = states.update_state_machine(stateMachineArn=arn, roleArn=ROLE, publish=True)["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = states.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(_PASS))
    ended = stage.wait(stage.start_execution(alias))
    assert (ended["output"], ended["stateMachineVersionArn"], ended["stateMachineAliasArn"]) == (
        '"old"',
        version,
        alias,
    )
    assert ended["stateMachineArn"] == arn


def test_an_express_machine_runs_in_line(stage: Stage) -> None:
    arn = stage.create(_PASS, kind="EXPRESS")
    ended = stage.client("stepfunctions").start_sync_execution(stateMachineArn=arn, input='{"a": 1}')
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"a": 1})
    assert ":express:" in ended["executionArn"]


def test_a_standard_machine_does_not_run_in_line(stage: Stage) -> None:
    start = stage.client("stepfunctions").start_sync_execution
    assert _code(start, stateMachineArn=stage.create(_PASS)) == "StateMachineTypeNotSupported"


def test_a_definition_that_does_not_parse_is_refused(stage: Stage) -> None:
    create = stage.client("stepfunctions").create_state_machine
    assert _code(create, name="broken", definition="{}", roleArn=ROLE) == "InvalidDefinition"


def _define(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def _pass(following: str | None = None) -> dict[str, Any]:
    return {"Type": "Pass", **({"End": True} if following is None else {"Next": following})}


def _task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, **fields}


_LOOP = _define(A=_pass("B"), B=_pass("A"))
_CATCH = _define(A=_task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Gone"}]))
_CHOICE = _define(
    A={"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Gone"}], "Default": "B"}, B=_pass()
)
_MAP = _define(M={"Type": "Map", "ItemProcessor": _define(A=_pass("M")), "End": True})
_BRANCHES = _define(P={"Type": "Parallel", "Branches": [_define(A=_pass()), _define(A=_pass("P"))], "End": True})


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        # As AWS words it: localstack/localstack issue 11978, aws-cloudformation/cfn-lint issue 4074.
        (
            _define(pass1=_pass("pass3"), pass2=_pass()),
            [
                ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: pass3", "/States/pass1/Next"),
                ("MISSING_TRANSITION_TARGET", 'State "pass2" is not reachable.', "/States/pass2"),
            ],
        ),
        (
            {"StartAt": "Not sure", "States": {"A": _pass()}},
            [
                ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: Not sure", "/StartAt"),
                ("MISSING_TRANSITION_TARGET", 'State "A" is not reachable.', "/States/A"),
            ],
        ),
        (_CATCH, [("MISSING_TRANSITION_TARGET", "Missing 'Next' target: Gone", "/States/A/Catch[0]/Next")]),
        (_CHOICE, [("MISSING_TRANSITION_TARGET", "Missing 'Next' target: Gone", "/States/A/Choices[0]/Next")]),
        (_MAP, [("MISSING_TRANSITION_TARGET", "Missing 'Next' target: M", "/States/M/ItemProcessor/States/A/Next")]),
        (
            _BRANCHES,
            [("MISSING_TRANSITION_TARGET", "Missing 'Next' target: P", "/States/P/Branches[1]/States/A/Next")],
        ),
        (
            _define(A={"Type": "Pass"}),
            [("SCHEMA_VALIDATION_FAILED", "the state has neither Next nor End", "/States/A")],
        ),
        (_define(A=_pass()), []),
        (_LOOP, []),
        (_define(A={"Type": "Succeed"}), []),
    ],
)
def test_a_definition_is_validated_as_it_would_be_created(
    stage: Stage, definition: dict[str, Any], told: list[tuple[str, str, str]]
) -> None:
    client, text = stage.client("stepfunctions"), json.dumps(definition)
    reply = client.validate_state_machine_definition(definition=text)
    found = [(one["code"], one["message"], one["location"]) for one in reply["diagnostics"]]
    assert (found, reply["result"], reply["truncated"]) == (told, "FAIL" if told else "OK", False)
    if not told:
        assert stage.create(definition)
        return
    with pytest.raises(ClientError) as caught:
        client.create_state_machine(name="wrong", definition=text, roleArn=ROLE)
    shown = ", ".join(f"{code}: {message} at {location}" for code, message, location in told)
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
    assert caught.value.response["Error"]["Message"] == f"Invalid State Machine Definition: '{shown}'"


def test_an_update_to_what_leads_nowhere_is_refused_and_changes_nothing(stage: Stage) -> None:
    arn = stage.create(_PASS)
    client = stage.client("stepfunctions")
    with pytest.raises(ClientError, match="MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone at /States/A/Next"):
        client.update_state_machine(stateMachineArn=arn, definition=json.dumps(_define(A=_pass("Gone"))))
    assert json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"]) == _PASS


@pytest.mark.parametrize(
    ("definition", "code"),
    [("{", "INVALID_JSON_DESCRIPTION"), ("[]", "SCHEMA_VALIDATION_FAILED"), ("{}", "SCHEMA_VALIDATION_FAILED")],
)
def test_what_is_no_definition_fails_validation_and_raises_nothing(stage: Stage, definition: str, code: str) -> None:
    reply = stage.client("stepfunctions").validate_state_machine_definition(definition=definition)
    assert (reply["result"], [one["code"] for one in reply["diagnostics"]]) == ("FAIL", [code])


def test_validation_knows_the_type_and_the_most_that_is_asked_for(stage: Stage) -> None:
    validate = stage.client("stepfunctions").validate_state_machine_definition
    waits = json.dumps(_define(A=_task(Resource="arn:aws:states:::lambda:invoke.waitForTaskToken")))
    assert validate(definition=waits)["result"] == "OK"
    [told] = validate(definition=waits, type="EXPRESS", severity="WARNING")["diagnostics"]
    assert (told["severity"], told["location"]) == ("ERROR", "/States/A/Resource")
    broken = json.dumps(_define(A=_pass("X"), B=_pass("Y"), C=_pass("Z")))
    assert len(validate(definition=broken, maxResults=0)["diagnostics"]) == 5
    some = validate(definition=broken, maxResults=2)
    assert (len(some["diagnostics"]), some["truncated"], some["result"]) == (2, True, "FAIL")
    assert _code(validate, definition=broken, type="FAST") == "ValidationException"


def test_installing_twice_and_uninstalling_puts_moto_back(stage: Stage) -> None:
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
    from moto.stepfunctions.parser.asl.eval.environment import Environment

    stepfunctions.install(lambda service, role_arn: boto3.client(service))
    patched = StringJSONata._eval_body
    stepfunctions.uninstall()
    try:
        assert StringJSONata._eval_body is not patched
        assert Environment.__init__.__module__.startswith("moto.")
    finally:
        stepfunctions.install(stage.connect, time_scale=0.05)
    assert stage.run(_PASS)["status"] == "SUCCEEDED"


def test_a_name_that_is_taken_is_refused_for_another_definition(stage: Stage) -> None:
    # moto answers with the machine that is there. API reference, CreateStateMachine: idempotent for the same request.
    one, other = ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": n, "End": True}}} for n in (1, 2))
    arn = stage.create(one, name="taken")
    assert stage.create(one, name="taken") == arn
    with pytest.raises(ClientError) as caught:
        stage.create(other, name="taken")
    assert caught.value.response["Error"]["Code"] == "StateMachineAlreadyExists"
    with pytest.raises(ClientError, match="StateMachineAlreadyExists"):
        stage.create(one, name="taken", kind="EXPRESS")
    assert stage.wait(stage.start_execution(arn))["output"] == "1"


def test_a_name_that_is_taken_is_refused_for_other_logs_traces_or_versions_and_not_for_a_role(stage: Stage) -> None:
    client = stage.client("stepfunctions")
    group = stage.client("logs")
    group.create_log_group(logGroupName="/aws/vendedlogs/states/taken")
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vendedlogs/states/taken:*"
    logged = {"level": "ERROR", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}
    first = {"name": "taken-whole", "definition": json.dumps(_PASS), "roleArn": ROLE}
    made = client.create_state_machine(**first)["stateMachineArn"]
    off = {"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": False}}
    for same in ({}, off, {"roleArn": f"{ROLE}-other"}, {"tags": [{"key": "a", "value": "b"}]}, {"publish": False}):
        assert client.create_state_machine(**first | same)["stateMachineArn"] == made, same
    for other in (
        {"loggingConfiguration": logged},
        {"tracingConfiguration": {"enabled": True}},
        {"publish": True},
        {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/a"}},
    ):
        assert _code(client.create_state_machine, **first | other) == "StateMachineAlreadyExists", other
    version = {**first, "name": "published", "publish": True, "versionDescription": "one"}
    published = client.create_state_machine(**version)["stateMachineVersionArn"]
    assert client.create_state_machine(**version)["stateMachineVersionArn"] == published
    assert _code(client.create_state_machine, **version | {"versionDescription": "two"}) == "StateMachineAlreadyExists"
