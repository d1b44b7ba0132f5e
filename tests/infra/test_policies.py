"""Least privilege as synthesized: no wildcard without a recorded reason, nobody rewrites the ledger."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase as fnmatch
from typing import Any

from tests.infra.conftest import joined, states_of

Json = dict[str, Any]

# Actions that IAM allows on "*" only, each with its reason. Anything else on "*" fails the test.
UNRESOURCED = {
    "xray:PutTraceSegments": "X-Ray takes no resource",
    "xray:PutTelemetryRecords": "X-Ray takes no resource",
    "xray:GetSamplingRules": "X-Ray takes no resource",
    "xray:GetSamplingTargets": "X-Ray takes no resource",
    "logs:CreateLogDelivery": "log delivery takes no resource",
    "logs:GetLogDelivery": "log delivery takes no resource",
    "logs:UpdateLogDelivery": "log delivery takes no resource",
    "logs:DeleteLogDelivery": "log delivery takes no resource",
    "logs:ListLogDeliveries": "log delivery takes no resource",
    "logs:PutResourcePolicy": "log delivery takes no resource",
    "logs:DescribeResourcePolicies": "log delivery takes no resource",
    "logs:DescribeLogGroups": "log delivery takes no resource",
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resources: list[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for logical_id, body in resources:
        # CDK moves what is too long for a role's own policy into a managed one.
        if body["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for statement in body["Properties"]["PolicyDocument"]["Statement"]:
                yield logical_id, statement


def test_only_actions_that_take_no_resource_are_allowed_on_the_wildcard(resources: list[tuple[str, Json]]) -> None:
    seen = 0
    for logical_id, statement in statements(resources):
        if "*" in listed(statement["Resource"]):
            seen += 1
            assert set(listed(statement["Action"])) <= set(UNRESOURCED), logical_id
    assert seen, "the test looks at nothing"


def test_no_statement_allows_every_action_of_a_service(resources: list[tuple[str, Json]]) -> None:
    for logical_id, statement in statements(resources):
        assert not [action for action in listed(statement["Action"]) if action.endswith("*")], logical_id


def test_no_role_may_update_or_delete_in_the_ledger(resources: list[tuple[str, Json]]) -> None:
    touching = [
        statement
        for _, statement in statements(resources)
        if any("ledger" in joined(resource) for resource in listed(statement["Resource"]))
    ]
    assert touching
    actions = {action for statement in touching for action in listed(statement["Action"])}
    assert actions <= {"dynamodb:PutItem", "dynamodb:Query"}


def test_only_the_gateway_reads_the_providers_secrets(resources: list[tuple[str, Json]]) -> None:
    readers = {
        logical_id
        for logical_id, statement in statements(resources)
        for resource in listed(statement["Resource"])
        if "secretanthropic" in joined(resource) or "secretopenai" in joined(resource)
    }
    assert len(readers) == 1
    assert "gateway" in readers.pop()


def test_hashes_of_keys_are_read_by_who_checks_them_only(resources: list[tuple[str, Json]]) -> None:
    readers = set()
    for logical_id, statement in statements(resources):
        reads = {"dynamodb:GetItem", "dynamodb:Query"} & set(listed(statement["Action"]))
        table = joined(listed(statement["Resource"])[0])
        if reads and "state" in table and "/index/" not in table:
            leading = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
            assert leading, f"{logical_id} reads the whole table"
            if any(fnmatch("T#acme#KEYS", pattern) for pattern in listed(leading)):
                readers.add(logical_id.split("role")[0])
    # The authorizer, of requests; the trigger, of signed messages; ingest, whether an upload's key was revoked.
    assert readers == {"apiauthorizer", "triggerstrigger", "documentsingest"}


def test_a_tool_reaches_its_own_kind_of_record_of_the_sessions_tenant_only(
    resources: list[tuple[str, Json]],
) -> None:
    found = {
        logical_id.split("role")[0]: statement
        for logical_id, statement in statements(resources)
        if any("records" in joined(resource) for resource in listed(statement["Resource"]))
    }
    assert sorted(found) == ["erasingerase", "toolrunnerdata"]
    statement = found["erasingerase"]  # of all tenants: a user's own records go with the user
    assert set(listed(statement["Action"])) == {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem"}
    leading = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert set(leading) == {"T#*#NOTE", "T#*#NOTE#DONE"}
    statement = found["toolrunnerdata"]
    assert statement["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#${aws:PrincipalTag/tenant}#NOTE"]},
        "StringEquals": {"aws:PrincipalTag/tool": ["notes"]},
    }


def test_the_role_of_tools_data_is_assumed_by_the_runner_only_and_never_without_tool_and_tenant(
    resources: list[tuple[str, Json]],
) -> None:
    [trust] = [
        body["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for logical_id, body in resources
        if body["Type"] == "AWS::IAM::Role" and logical_id.startswith("toolrunnerdatarole")
    ]
    [statement] = trust
    assert joined(statement["Principal"]["AWS"]).startswith("<toolrunnerruntoolrole")
    assert statement["Condition"]["StringLike"] == {"aws:RequestTag/tool": "?*", "aws:RequestTag/tenant": "?*"}


def test_a_tools_own_role_reaches_its_log_and_nothing_else(resources: list[tuple[str, Json]]) -> None:
    seen = set()
    for logical_id, statement in statements(resources):
        if logical_id.startswith("tool") and not logical_id.startswith("toolrunner"):
            seen.add(logical_id)
            for action in listed(statement["Action"]):
                assert action.split(":")[0] in ("logs", "xray"), f"{logical_id}: {action}"
    assert len(seen) == 3, "calculator, date_time, notes"


def test_each_kind_of_the_ledgers_partitions_has_one_function_that_writes(resources: list[tuple[str, Json]]) -> None:
    writers = {
        key: logical_id.split("role")[0]
        for logical_id, statement in statements(resources)
        if "dynamodb:PutItem" in listed(statement["Action"])
        and any("ledger" in joined(resource) for resource in listed(statement["Resource"]))
        for key in statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }
    assert writers == {
        "T#*#R#*": "modelsgateway",
        "T#*#D#*": "modelsgateway",
        "T#*#AUDIT#*": "toolrunnerruntool",
        "T#*#ACTS#*": "api",
    }


def test_who_writes_the_audit_signs_it_and_nobody_else_does(resources: list[tuple[str, Json]]) -> None:
    signing = {
        logical_id.split("role")[0]
        for logical_id, statement in statements(resources)
        if "kms:GenerateMac" in listed(statement["Action"]) and "auditkey" in joined(statement["Resource"])
    }
    assert signing == {"toolrunnerruntool", "api", "anchorsanchor"}


def test_a_functions_role_adds_to_its_own_log_and_takes_nothing_away(resources: list[tuple[str, Json]]) -> None:
    seen = 0
    for logical_id, statement in statements(resources):
        logs = {action for action in listed(statement["Action"]) if action.startswith("logs:")}
        if logs and "*" not in listed(statement["Resource"]):
            seen += 1
            [group] = listed(statement["Resource"])
            if "logs:DeleteLogStream" in logs:  # what a user's runs said goes with the user, and nothing else does
                assert logical_id.startswith("erasingerase")
                assert joined(group).endswith(":log-group:/pentad/pentad-dev/contents:*")
                continue
            assert logs <= {"logs:CreateLogStream", "logs:PutLogEvents"}, logical_id
            assert "log-group:/aws/lambda/" in joined(group), logical_id
    assert seen > 10, "the test looks at nothing"
    other = {action for action in UNRESOURCED if action.startswith("logs:")}
    assert not other & {"logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"}


def test_anchors_are_locked_and_one_role_may_put_them_and_none_may_take_them_away(
    resources: list[tuple[str, Json]],
) -> None:
    locked = [body["Properties"] for _, body in resources if "ObjectLockConfiguration" in body.get("Properties", {})]
    [bucket] = locked
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Days": 1, "Mode": "GOVERNANCE"}
    reaching = {
        (logical_id.split("role")[0], action)
        for logical_id, statement in statements(resources)
        for action in listed(statement["Action"])
        if action.startswith("s3:") and any("anchors" in joined(one) for one in listed(statement["Resource"]))
    }
    assert reaching == {("anchorsanchor", f"s3:{what}") for what in ("GetObject", "PutObject", "ListBucket")}


def test_every_use_of_a_key_is_bound_to_a_service_or_to_what_is_encrypted(resources: list[tuple[str, Json]]) -> None:
    seen = 0
    for logical_id, statement in statements(resources):
        if any(action in ("kms:Decrypt", "kms:GenerateDataKey") for action in listed(statement["Action"])):
            seen += 1
            condition = json.dumps(statement.get("Condition", {}))
            bound = "kms:ViaService" in condition or "kms:EncryptionContextKeys" in condition
            assert bound, f"{logical_id}: {statement}"
            if "dynamodb." in condition or "s3." in condition or "secretsmanager." in condition:
                assert "kms:EncryptionContext:" in condition, f"{logical_id}: {statement}"
    assert seen > 10


def test_a_state_machine_may_invoke_every_version_of_its_own_functions_and_no_other_function(
    resources: list[tuple[str, Json]], definitions: dict[str, Json]
) -> None:
    function_of = {
        f"<{logical_id}>": joined(body["Properties"]["FunctionName"])
        for logical_id, body in resources
        if body["Type"] == "AWS::Lambda::Version"
    }
    # The tools' versions are named for the tool runner, which alone may invoke them.
    definition = definitions["pentad-dev-agent-assistant"]
    text = json.dumps([state.get("Arguments", {}) for _, state in states_of(definition)])
    invoked = {
        joined(resource)
        for logical_id, statement in statements(resources)
        if logical_id.startswith("agentassistant") and "lambda:InvokeFunction" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert invoked == {f"{function}:*" for version, function in function_of.items() if version in text}


def test_every_bucket_is_private_and_every_table_can_be_restored(resources: list[tuple[str, Json]]) -> None:
    buckets = [body["Properties"] for _, body in resources if body["Type"] == "AWS::S3::Bucket"]
    tables = [body["Properties"] for _, body in resources if body["Type"] == "AWS::DynamoDB::Table"]
    assert len(buckets) == 4
    assert len(tables) == 4
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    for table in tables:
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_every_queue_has_a_dead_letter_queue_or_is_one(resources: list[tuple[str, Json]]) -> None:
    queues = [body["Properties"] for _, body in resources if body["Type"] == "AWS::SQS::Queue"]
    assert queues
    assert all("RedrivePolicy" in queue or queue["QueueName"].endswith("-dlq") for queue in queues)


def test_who_works_a_queue_off_may_postpone_what_failed(resources: list[tuple[str, Json]]) -> None:
    consuming = [set(listed(one["Action"])) for _, one in statements(resources)]
    consuming = [actions for actions in consuming if "sqs:ReceiveMessage" in actions]
    assert len(consuming) == 5  # erase, ingest, remember, trigger (two queues), notify
    needed = {"sqs:GetQueueUrl", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"}  # SqsRedelivery, Lambda's poller
    assert all(needed <= actions for actions in consuming)


def test_no_route_of_the_api_is_open(resources: list[tuple[str, Json]]) -> None:
    routes = [body["Properties"] for _, body in resources if body["Type"] == "AWS::ApiGatewayV2::Route"]
    assert routes
    assert all(route["AuthorizationType"] == "CUSTOM" and route["AuthorizerId"] for route in routes)


def test_the_templates_name_no_account_and_no_region(templates: dict[str, Json]) -> None:
    text = json.dumps(templates)
    assert "us-east-1" not in text
    assert "123456789012" not in text
