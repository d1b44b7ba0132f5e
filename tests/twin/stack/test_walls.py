"""A tool whose code was replaced tries all that its function could do: by its own role, and by what it is handed."""

import json
from typing import Any

import pytest

from pentad.tools.runtime.function_names import name_function
from tests.twin.stack.world import Stack, Tenant, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

Call = tuple[str, str, str, dict[str, Any]]
DENIED = {"AccessDeniedException", "AccessDenied"}
_MAC = "HMAC_SHA_256"


def do(stack: Stack, tenant: Tenant, calls: list[Call]) -> list[str]:
    """Let the tool make the calls in a run of the tenant; return what came of each."""
    arguments = {"calls": json.dumps(calls)}
    stack.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "takeover", "arguments": arguments}]}}, {"reply": {"text": "Done."}}
    )
    view = tenant.ask(f"Do it ({word()}).", agent="hostage")
    stack.simulator.assert_consumed()
    [call] = tenant.events(view["run_id"], "tool_call")
    assert call["status"] == "succeeded", call["result"]
    found: list[str] = json.loads(call["result"])
    assert len(found) == len(calls)
    return found


def list_tables(stack: Stack) -> tuple[str, str, str, str]:
    """Return the tables of state, ledger, transient items and records."""
    named = [str(stack.outputs[f"{name}Table"]) for name in ("State", "Ledger", "Transient")]
    [records] = [one for one in stack.tables if one not in named]
    return named[0], named[1], named[2], records


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def test_a_tool_that_was_taken_over_reaches_nothing_by_its_own_role(scripted: Stack) -> None:
    stack, tenant, victim = scripted, scripted.tenant(), scripted.tenant()
    other = victim.ask("What is 2 + 2?", agent="greeter")["run_id"]
    state, ledger, transient, records = list_tables(stack)
    buckets = [one["Name"] for one in stack.aws("s3").list_buckets()["Buckets"]]
    roles = [one["Arn"] for one in stack.aws("iam").list_roles()["Roles"]]
    secrets = [one["ARN"] for one in stack.aws("secretsmanager").list_secrets()["SecretList"]]
    machines = [one["stateMachineArn"] for one in stack.aws("stepfunctions").list_state_machines()["stateMachines"]]
    keys = [one["KeyArn"] for one in stack.aws("kms").list_keys()["Keys"]]
    run, item = f"T#{victim.name}#R#{other}", {"Item": key(f"T#{victim.name}#NOTE", "x")}
    allow = {"UpdateExpression": "SET allowed = :t", "ExpressionAttributeValues": {":t": {"S": "notes"}}}
    tables: list[Call] = [
        ("own", "dynamodb", operation, {"TableName": name, **parameters})
        for name in (state, ledger, records, transient)
        for operation, parameters in (
            ("get_item", {"Key": key(run, "META")}),
            ("update_item", {"Key": key(run, "META"), **allow}),
            ("put_item", item),
            ("delete_item", {"Key": key(run, "META")}),
            ("query", {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": run}}}),
            ("scan", {}),
        )
    ]
    functions = [f"pentad-dev-{name}" for name in ("run-tool", "api", "deliver", "gateway")]
    functions += [name_function("pentad-dev-tool-", "log_entry", grouped=grouped) for grouped in (False, True)]
    invoked: list[Call] = [
        ("own", "lambda", "invoke", {"FunctionName": name, "Payload": "{}"})
        for name in (*functions, "pentad-dev-gateway:live", "pentad-dev-gateway:graphs", "pentad-dev-gateway:1")
    ]
    rest: list[Call] = [
        *(("own", "s3", "get_object", {"Bucket": name, "Key": f"{victim.name}/x"}) for name in buckets),
        *(("own", "s3", "put_object", {"Bucket": name, "Key": f"{victim.name}/x", "Body": "x"}) for name in buckets),
        *(("own", "sts", "assume_role", {"RoleArn": one, "RoleSessionName": "taken-over"}) for one in roles),
        *(("own", "secretsmanager", "get_secret_value", {"SecretId": one}) for one in secrets),
        *(("own", "stepfunctions", "start_execution", {"stateMachineArn": f"{one}:live"}) for one in machines),
        *(("own", "kms", "generate_data_key", {"KeyId": one, "KeySpec": "AES_256"}) for one in keys),
        *(("own", "kms", "generate_mac", {"KeyId": one, "Message": "x", "MacAlgorithm": _MAC}) for one in keys),
        ("own", "sqs", "send_message", {"QueueUrl": stack.queue_url("runs"), "MessageBody": "{}"}),
    ]
    calls = [*tables, *invoked, *rest]
    assert min(len(one) for one in (buckets, roles, secrets, machines, keys)) > 0
    found = do(stack, tenant, calls)
    reached = [(call, what) for call, what in zip(calls, found, strict=True) if what not in DENIED]
    assert reached == []
    assert victim.notes() == []


def test_a_tool_that_was_taken_over_reaches_its_own_tenants_records_of_its_own_kind_only(scripted: Stack) -> None:
    stack, tenant, victim = scripted, scripted.tenant(), scripted.tenant()
    other = victim.ask("What is 2 + 2?", agent="greeter")["run_id"]
    state, ledger, _, records = list_tables(stack)

    def put(table: str, pk: str) -> Call:
        return ("handed", "dynamodb", "put_item", {"TableName": table, "Item": key(pk, "x")})

    def get(table: str, pk: str) -> Call:
        return ("handed", "dynamodb", "get_item", {"TableName": table, "Key": key(pk, "META")})

    own: list[Call] = [put(records, f"T#{tenant.name}#LOOT"), get(records, f"T#{tenant.name}#LOOT")]
    walls: list[Call] = [
        # Other tenants, other kinds, and a tenant's name that would be a pattern.
        *(one(records, f"T#{victim.name}#LOOT") for one in (put, get)),
        *(one(records, f"T#{tenant.name}#NOTE") for one in (put, get)),
        put(records, "T#*#LOOT"),
        # The same credentials on other tables: runs, attempts, audit, checkpoints.
        *(one(table, f"T#{victim.name}#R#{other}") for one in (put, get) for table in (state, ledger)),
        *(one(state, f"T#{tenant.name}#R#{other}") for one in (put, get)),
        put(ledger, f"T#{tenant.name}#AUDIT#{other}"),
        *(one(state, f"T#{tenant.name}#G#{other}") for one in (put, get)),
        ("handed", "dynamodb", "scan", {"TableName": records}),
    ]
    found = do(stack, tenant, [*own, *walls])
    assert found[:2] == ["done", "done"]
    reached = [(call, what) for call, what in zip(walls, found[2:], strict=True) if what not in DENIED]
    assert reached == []
