"""Every resource type is created with its properties: deployed from one template and read back through the API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.moto_clients import client
from twin.deploy.assembly import Assembly, FileAsset, Stack
from twin.deploy.deployer import Deployer
from twin.deploy.deployment import Deployment
from twin.deploy.errors import DeployError, ResourceFailed
from twin.deploy.registry import Place, list_types

REGION, ACCOUNT = "us-east-1", "123456789012"
TEMPLATE = json.loads((Path(__file__).parent / "every_type.json").read_text(encoding="utf-8"))

#: Types with tests of their own below.
ELSEWHERE = {
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBusPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
}


def deploy(folder: Path, *stacks: Stack) -> Deployment:
    place = Place(REGION, ACCOUNT, scratch=folder, api_endpoint=lambda api_id: f"http://local/{api_id}")
    return Deployer(client, place).deploy(Assembly(folder, stacks))


def deploy_one(folder: Path, **resources: Any) -> Deployment:
    return deploy(folder, Stack("One", "One", {"Resources": resources}))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deploy")
    outputs = {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}, "Export": {"Name": "url"}}}
    with mock_aws():
        yield deploy(folder, Stack("S", "S", {"Resources": TEMPLATE, "Outputs": outputs}))


@pytest.fixture
def fresh() -> Iterator[None]:
    with mock_aws():
        yield


def ref(deployed: Deployment, logical_id: str) -> str:
    return deployed.resources[f"S/{logical_id}"]


def test_template_has_every_type() -> None:
    assert {body["Type"] for body in TEMPLATE.values()} | ELSEWHERE == set(list_types())


def test_global_table(deployed: Deployment) -> None:
    dynamodb, name = client("dynamodb"), ref(deployed, "T")
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["byg"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSEDescription"]["KMSMasterKeyArn"].endswith(ref(deployed, "K"))
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("ttl", "ENABLED")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_key_and_alias(deployed: Deployment) -> None:
    kms = client("kms")
    key = kms.describe_key(KeyId="alias/pentad")["KeyMetadata"]
    assert key["KeyId"] == ref(deployed, "K")
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True
    assert json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])["Statement"]


def test_bucket_and_policy(deployed: Deployment) -> None:
    s3, name = client("s3"), ref(deployed, "B")
    [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == ref(deployed, "K")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rules[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert (rules[1]["Filter"], rules[1]["Expiration"]) == ({"Prefix": "tmp/"}, {"Days": 4})
    assert s3.get_bucket_cors(Bucket=name)["CORSRules"][0]["MaxAgeSeconds"] == 3
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=name)["Policy"]
    assert deployed.event_buckets == {name}


def test_queue_redrive_and_policy(deployed: Deployment) -> None:
    attributes = client("sqs").get_queue_attributes(QueueUrl=ref(deployed, "Q"), AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 3
    assert "events.amazonaws.com" in attributes["Policy"]


def test_role_with_inline_and_managed_policies(deployed: Deployment) -> None:
    iam, name = client("iam"), ref(deployed, "Role")
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"p", "AWSLambdaBasicExecutionRole"}
    [attached] = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert attached["PolicyArn"] == ref(deployed, "MP")
    [documents] = deployed.roles.values()
    actions = {str(statement["Action"]) for document in documents for statement in document["Statement"]}
    assert "sqs:*" in actions
    assert any("logs:PutLogEvents" in action for action in actions)


def test_function_version_alias_and_permission(deployed: Deployment) -> None:
    awslambda, name = client("lambda"), ref(deployed, "F")
    configuration = awslambda.get_function_configuration(FunctionName=name)
    assert configuration["Environment"]["Variables"] == {"T": ref(deployed, "T")}
    assert configuration["MemorySize"] == 512
    assert awslambda.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    definition = deployed.functions[name]
    assert definition.log_group == ref(deployed, "LG")
    assert definition.log_format == "JSON"
    assert definition.reserved_concurrency == 3
    assert definition.tracing is True
    assert (definition.code / "index.py").read_text().startswith("def handler")
    assert [(one.qualifier, one.version) for one in deployed.versions] == [("1", "1"), ("live", "1")]
    [permission] = deployed.permissions
    assert (permission.function, permission.qualifier) == (name, "live")
    assert permission.source_arn == f"arn:aws:execute-api:us-east-1:123456789012:{ref(deployed, 'Api')}/*/*/x"


def test_event_source_mapping_and_invoke_config(deployed: Deployment) -> None:
    [mapping] = deployed.queue_mappings
    assert mapping.batch_size == 5
    assert mapping.partial_failures is True
    assert mapping.maximum_concurrency == 2
    assert mapping.queue_arn.endswith(ref(deployed, "Q").rsplit("/", 1)[-1])
    [configuration] = deployed.invoke_configs
    assert configuration.maximum_retries == 1
    assert configuration.on_failure is not None


def test_log_group_filter_and_policy(deployed: Deployment) -> None:
    logs = client("logs")
    [group] = logs.describe_log_groups(logGroupNamePrefix=ref(deployed, "LG"))["logGroups"]
    assert group["retentionInDays"] == 7
    [metric] = logs.describe_metric_filters(logGroupName=group["logGroupName"])["metricFilters"]
    assert metric["metricTransformations"][0]["metricName"] == "e"
    assert [one["policyName"] for one in logs.describe_resource_policies()["resourcePolicies"]] == ["lrp"]
    [subscription] = deployed.subscriptions
    assert subscription.log_group == group["logGroupName"]
    assert subscription.destination_arn.endswith(f":function:{ref(deployed, 'F')}")


@pytest.mark.parametrize(
    ("pattern", "destination"),
    [("ERROR", "arn:aws:lambda:us-east-1:1:function:f"), ("", "arn:aws:kinesis:us-east-1:1:stream/s")],
)
def test_a_subscription_that_would_not_be_carried_out_is_refused(
    tmp_path: Path, pattern: str, destination: str
) -> None:
    properties = {"LogGroupName": "g", "FilterPattern": pattern, "DestinationArn": destination}
    with mock_aws(), pytest.raises(DeployError, match="subscription filters"):
        deploy_one(tmp_path, F={"Type": "AWS::Logs::SubscriptionFilter", "Properties": properties})


def test_state_machine_version_and_alias(deployed: Deployment) -> None:
    states, arn = client("stepfunctions"), ref(deployed, "SM")
    machine = states.describe_state_machine(stateMachineArn=arn)
    definition = json.loads(machine["definition"])
    assert definition["States"]["a"]["Comment"].endswith(f":function:{ref(deployed, 'F')}")
    assert machine["loggingConfiguration"]["level"] == "ALL"
    assert machine["tracingConfiguration"] == {"enabled": True}
    alias = states.describe_state_machine_alias(stateMachineAliasArn=ref(deployed, "SMA"))
    assert alias["routingConfiguration"][0]["stateMachineVersionArn"] == ref(deployed, "SMV")


def test_bus_rules_and_schedule(deployed: Deployment) -> None:
    events = client("events")
    [name] = [one["Name"] for one in events.list_rules(EventBusName="pentad")["Rules"]]
    [target] = events.list_targets_by_rule(Rule=name, EventBusName="pentad")["Targets"]
    assert target["InputTransformer"]["InputTemplate"] == '{"d":<a>}'
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 2}
    by_pattern, by_schedule = sorted(deployed.rules, key=lambda rule: rule.schedule or "")
    assert by_pattern.pattern == {"source": ["x"]}
    assert by_pattern.targets[0].dead_letter_arn is not None
    assert by_schedule.schedule == "rate(1 day)"
    [schedule] = client("scheduler").list_schedules()["Schedules"]
    assert client("scheduler").get_schedule(Name=schedule["Name"])["ScheduleExpression"] == "cron(0 12 * * ? *)"


def test_secret_is_generated_by_its_template(deployed: Deployment) -> None:
    value = client("secretsmanager").get_secret_value(SecretId="pentad/anthropic")["SecretString"]
    assert len(json.loads(value)["api_key"]) == 32
    assert deployed.secrets == {"pentad/anthropic": ref(deployed, "Sec")}


def test_http_api(deployed: Deployment) -> None:
    gateway, api_id = client("apigatewayv2"), ref(deployed, "Api")
    [route] = gateway.get_routes(ApiId=api_id)["Items"]
    assert route["RouteKey"] == "GET /x/{id}"
    api = deployed.http_apis[api_id]
    [known] = api.routes
    assert api.authorizers[known.authorizer or ""].simple_responses is True
    assert api.authorizers[known.authorizer or ""].cache_ttl == 0
    assert api.integrations[known.integration].function == ref(deployed, "A")
    assert [stage.name for stage in api.stages] == ["$default"]
    assert deployed.outputs["S"] == {"Url": f"http://local/{api_id}"}
    assert deployed.exports == {"url": f"http://local/{api_id}"}


def test_alarms_and_dashboard(deployed: Deployment) -> None:
    cloudwatch = client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert {one["AlarmName"] for one in alarms["MetricAlarms"]} == {ref(deployed, "Al"), ref(deployed, "Al2")}
    [composite] = alarms["CompositeAlarms"]
    assert ref(deployed, "Al") in composite["AlarmRule"]
    body = cloudwatch.get_dashboard(DashboardName=ref(deployed, "Dash"))["DashboardBody"]
    assert json.loads(body) == {"widgets": []}


def test_alarms_begin_without_data(deployed: Deployment) -> None:
    cloudwatch = client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    states = {one["StateValue"] for one in (*found["MetricAlarms"], *found["CompositeAlarms"])}
    assert states == {"INSUFFICIENT_DATA"}
    assert ref(deployed, "Al") in deployed.metric_alarms


def test_topic_subscription_and_policy(deployed: Deployment) -> None:
    sns, arn = client("sns"), ref(deployed, "Top")
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert subscription["Protocol"] == "sqs"
    assert "events.amazonaws.com" in sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]


def test_parameter(deployed: Deployment) -> None:
    assert client("ssm").get_parameter(Name=ref(deployed, "SSM"))["Parameter"]["Value"] == "v"


@pytest.mark.usefixtures("fresh")
def test_classic_table(tmp_path: Path) -> None:
    table = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "TableName": "classic",
    }
    deploy_one(tmp_path, T={"Type": "AWS::DynamoDB::Table", "Properties": table})
    found = client("dynamodb").describe_table(TableName="classic")["Table"]
    assert found["SSEDescription"]["Status"] == "ENABLED"
    assert found["ProvisionedThroughput"]["ReadCapacityUnits"] == 1


@pytest.mark.usefixtures("fresh")
def test_layer_from_third_parties_is_recognised_by_its_marker(tmp_path: Path) -> None:
    assets: dict[str, FileAsset] = {}
    for name in ("own", "packages"):
        (tmp_path / name / "python").mkdir(parents=True)
        assets[f"{name}.zip"] = FileAsset(name, tmp_path / name)
    (tmp_path / "packages" / ".third-party").touch()
    layers = {
        name: {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": {"S3Bucket": "b", "S3Key": f"{name}.zip"}},
        }
        for name in ("own", "packages")
    }
    deployment = deploy(tmp_path, Stack("One", "One", {"Resources": layers}, assets=assets))
    assert {layer.directory.name: layer.third_party for layer in deployment.layers.values()} == {
        "own": False,
        "packages": True,
    }


@pytest.mark.usefixtures("fresh")
def test_policies_of_a_secret_a_bus_and_a_table(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    put = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
    scan = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:Scan", "Resource": "*"}
    guard = {"Version": "2012-10-17", "Statement": [scan]}
    deployment = deploy_one(
        tmp_path,
        Secret={"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}},
        SecretPolicy={
            "Type": "AWS::SecretsManager::ResourcePolicy",
            "Properties": {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy},
        },
        Bus={"Type": "AWS::Events::EventBus", "Properties": {"Name": "own"}},
        Whole={
            "Type": "AWS::Events::EventBus",
            "Properties": {"Name": "whole", "Policy": {"Version": "2012-10-17", "Statement": [{"Sid": "own", **put}]}},
        },
        Table={
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "guarded",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "ResourcePolicy": {"PolicyDocument": guard},
            },
        },
        BusPolicy={
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "put", "Statement": put},
        },
    )
    arn = deployment.resources["One/Secret"]
    assert "GetSecretValue" in client("secretsmanager").get_resource_policy(SecretId=arn)["ResourcePolicy"]
    for name in ("own", "whole"):
        assert "events:PutEvents" in client("events").describe_event_bus(Name=name)["Policy"]
    table = client("dynamodb").describe_table(TableName="guarded")["Table"]["TableArn"]
    assert "dynamodb:Scan" in client("dynamodb").get_resource_policy(ResourceArn=table)["Policy"]


@pytest.mark.usefixtures("fresh")
def test_stacks_import_what_earlier_ones_export(tmp_path: Path) -> None:
    queue = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shared"}}}
    output = {"Out": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}, "Export": {"Name": "arn"}}}
    value = {"Type": "String", "Name": "p", "Value": {"Fn::ImportValue": "arn"}}
    first = Stack("A", "A", {"Resources": queue, "Outputs": output})
    second = Stack("B", "B", {"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": value}}})
    deploy(tmp_path, first, second)
    assert client("ssm").get_parameter(Name="p")["Parameter"]["Value"].endswith(":shared")


@pytest.mark.usefixtures("fresh")
def test_condition_leaves_a_resource_out(tmp_path: Path) -> None:
    body = {"Type": "AWS::SQS::Queue", "Condition": "Never", "Properties": {"QueueName": "never"}}
    conditions = {"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "mars-1"]}}
    deploy(tmp_path, Stack("A", "A", {"Resources": {"Q": body}, "Conditions": conditions}))
    with pytest.raises(ClientError):
        client("sqs").get_queue_url(QueueName="never")


@pytest.mark.parametrize(
    ("resource_type", "properties", "named"),
    [
        ("AWS::S3::Bucket", {"NotificationConfiguration": {"QueueConfigurations": []}}, "QueueConfigurations"),
        ("AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Colour": 1}]}}, "Colour"),
        ("AWS::SecretsManager::Secret", {"GenerateSecretString": {"Colour": 1}}, "Colour"),
        ("AWS::CloudWatch::Alarm", {"Metrics": [{"Id": "a", "Colour": 1}]}, "Colour"),
    ],
)
@pytest.mark.usefixtures("fresh")
def test_unknown_nested_property_is_an_error(
    tmp_path: Path, resource_type: str, properties: dict[str, Any], named: str
) -> None:
    from twin.deploy.errors import DeployError

    with pytest.raises(DeployError, match=rf"'R' \({resource_type}\)[\s\S]*{named}"):
        deploy_one(tmp_path, R={"Type": resource_type, "Properties": properties})


@pytest.mark.usefixtures("fresh")
def test_mapping_of_a_queue_with_too_short_a_visibility_timeout_is_refused(tmp_path: Path) -> None:
    parts = {key: TEMPLATE[key] for key in ("Role", "Pol", "F", "LG", "T", "K", "Q", "D", "ESM")}
    parts["F"] = {**parts["F"], "Properties": {**parts["F"]["Properties"], "Timeout": 61}}
    with pytest.raises(ResourceFailed, match="60 seconds is less than Function timeout: 61 seconds"):
        deploy_one(tmp_path, **parts)


@pytest.mark.usefixtures("fresh")
def test_refusal_of_the_local_aws_names_the_resource(tmp_path: Path) -> None:
    body = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not allowed!"}}
    with pytest.raises(ResourceFailed, match=r"'R' \(AWS::SQS::Queue\)"):
        deploy_one(tmp_path, R=body)


@pytest.mark.usefixtures("fresh")
def test_a_schedule_tells_a_secret_who_rotates_it_and_rotates_nothing(tmp_path: Path) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
    deployment = deploy_one(
        tmp_path,
        Secret={"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "one", "SecretString": "x"}},
        Schedule={
            "Type": "AWS::SecretsManager::RotationSchedule",
            "Properties": {
                "SecretId": "one",
                "RotationLambdaARN": arn,
                "RotationRules": {"AutomaticallyAfterDays": 7},
                "RotateImmediatelyOnUpdate": False,
            },
            "DependsOn": ["Secret"],
        },
    )
    told = client("secretsmanager").describe_secret(SecretId="one")
    assert deployment.resources["One/Schedule"] == told["ARN"]
    assert (told["RotationLambdaARN"], told["RotationRules"]) == (arn, {"AutomaticallyAfterDays": 7})
    assert list(told["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
