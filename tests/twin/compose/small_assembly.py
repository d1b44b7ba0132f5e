"""A small cloud assembly, as `cdk synth` would write it: one API, one queue, one rule, one machine, one bucket."""

import json
from pathlib import Path
from typing import Any

CODE = """
import json
import os

import boto3


def api(event, context):
    note = event.get("body")
    if note:
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=note)
    caller = event["requestContext"]["authorizer"]["lambda"]
    return {"statusCode": 200, "body": json.dumps({"caller": caller, "layer": os.environ.get("NAME")})}


def authorizer(event, context):
    key = event["identitySource"][0]
    if key == "unknown":
        raise Exception("Unauthorized")
    return {"isAuthorized": key == "good", "context": {"tenant": "t1"}}


def worker(event, context):
    table = boto3.client("dynamodb")
    failures = []
    for record in event["Records"]:
        body = record["body"]
        if body == "poison":
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        item = {"pk": {"S": record["messageId"]}, "body": {"S": body}}
        table.put_item(TableName=os.environ["TABLE"], Item=item)
    return {"batchItemFailures": failures}


def forbidden(event, context):
    return boto3.client("dynamodb").scan(TableName=os.environ["TABLE"])


def crash(event, context):
    raise RuntimeError("on purpose")


def double(event, context):
    return {"value": event["value"] * 2}


def measure(event, context):
    import time

    metric = {"Namespace": "Small", "Dimensions": [["stage"]], "Metrics": [{"Name": "Failures"}]}
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": about, "stage": "test", "Failures": event["failures"]}))
"""


def _att(logical_id: str, name: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, name]}


def _role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    properties: dict[str, Any] = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        properties["Policies"] = [{"PolicyName": "own", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _allow(resource: Any, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _function(name: str, role: str, **environment: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": f"small-{name}",
            "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "code.zip"},
            "Handler": f"small.{name}",
            "Runtime": "python3.13",
            "Role": _att(role),
            "Timeout": 10,
            "MemorySize": 256,
            "Environment": {"Variables": environment},
        },
    }


def _permission(function: str, service: str, source: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": _att(function),
            "Principal": service,
            "SourceArn": source,
        },
    }


def _data() -> dict[str, Any]:
    redrive = {"deadLetterTargetArn": _att("Dead"), "maxReceiveCount": 1}
    policy = _allow(_att("Queue"), "sqs:SendMessage") | {"Principal": {"Service": "events.amazonaws.com"}}
    return {
        "Table": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "Replicas": [{"Region": {"Ref": "AWS::Region"}}],
            },
        },
        "Failed": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-failed"}},
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-dead"}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "small", "VisibilityTimeout": 10, "RedrivePolicy": redrive},
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [policy]},
            },
        },
    }


def _events() -> dict[str, Any]:
    eventful = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    return {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "small-documents", "NotificationConfiguration": eventful},
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}}},
                "Targets": [{"Id": "T0", "Arn": _att("Queue"), "InputPath": "$.detail.object.key"}],
            },
        },
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "small/anthropic", "GenerateSecretString": {}},
        },
    }


def _functions() -> dict[str, Any]:
    reading = _allow(_att("Queue"), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return {
        "ApiRole": _role("lambda.amazonaws.com", _allow(_att("Queue"), "sqs:SendMessage")),
        "WorkerRole": _role("lambda.amazonaws.com", reading, _allow(_att("Table"), "dynamodb:PutItem")),
        "PlainRole": _role("lambda.amazonaws.com"),
        "Api": _function("api", "ApiRole", QUEUE={"Ref": "Queue"}),
        "Authorizer": _function("authorizer", "PlainRole"),
        "Worker": _function("worker", "WorkerRole", TABLE={"Ref": "Table"}),
        "Forbidden": _function("forbidden", "PlainRole", TABLE={"Ref": "Table"}),
        "Double": _function("double", "PlainRole"),
        "Measure": _function("measure", "PlainRole"),
        "CrashRole": _role("lambda.amazonaws.com", _allow(_att("Failed"), "sqs:SendMessage")),
        "Crash": _function("crash", "CrashRole"),
        "CrashConfig": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Crash"},
                "Qualifier": "$LATEST",
                "DestinationConfig": {"OnFailure": {"Destination": _att("Failed")}},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": _att("Queue"),
                "FunctionName": {"Ref": "Worker"},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
    }


def _alarm(metric: dict[str, Any], topics: list[Any], **more: Any) -> dict[str, Any]:
    properties = {
        **metric,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": topics,
        **more,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _topic_policy(topic: str, account: Any) -> dict[str, Any]:
    statement = _allow({"Ref": topic}, "sns:Publish") | {
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": topic}], "PolicyDocument": document}}


def _alarms() -> dict[str, Any]:
    """Return alarms on a log line's metric and on Lambda's, one over both; a topic for this account, one for others."""
    receiving = _allow(_att("Told"), "sqs:SendMessage") | {"Principal": {"Service": "sns.amazonaws.com"}}
    of_log = {"Namespace": "Small", "MetricName": "Failures", "Dimensions": [{"Name": "stage", "Value": "test"}]}
    where = [{"Name": "FunctionName", "Value": "small-crash"}]
    of_lambda = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": where}
    return {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "small-alarms"}},
        "TopicPolicy": _topic_policy("Topic", {"Ref": "AWS::AccountId"}),
        "Closed": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "small-closed"}},
        "ClosedPolicy": _topic_policy("Closed", "999999999999"),
        "Told": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-told"}},
        "ToldPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Told"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [receiving]},
            },
        },
        **{
            f"{topic}Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": {"Ref": topic}, "Protocol": "sqs", "Endpoint": _att("Told")},
            }
            for topic in ("Topic", "Closed")
        },
        "Failures": _alarm(of_log, [{"Ref": "Closed"}], AlarmName="failures"),
        "Crashes": _alarm(of_lambda, [], AlarmName="crashes"),
        "Both": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "DependsOn": ["Failures", "Crashes"],
            "Properties": {
                "AlarmName": "both",
                "AlarmRule": "ALARM(failures) AND ALARM(crashes)",
                "AlarmActions": [{"Ref": "Topic"}],
            },
        },
    }


def _machine() -> dict[str, Any]:
    return {
        "MachineRole": _role("states.amazonaws.com", _allow(_att("Double"), "lambda:InvokeFunction")),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "small",
                "RoleArn": _att("MachineRole"),
                "DefinitionString": _definition(),
                "DefinitionSubstitutions": {"Double": _att("Double")},
            },
        },
    }


def _definition() -> str:
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${Double}", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": call}})


def _keys() -> dict[str, Any]:
    api = {"ApiId": {"Ref": "HttpApi"}}
    return {
        "Keys": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                **api,
                "Name": "keys",
                "AuthorizerType": "REQUEST",
                "AuthorizerPayloadFormatVersion": "2.0",
                "EnableSimpleResponses": True,
                "IdentitySource": ["$request.header.Authorization"],
                "AuthorizerResultTtlInSeconds": 0,
                "AuthorizerUri": {
                    "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                    "${Authorizer.Arn}/invocations"
                },
            },
        },
    }


def _api() -> dict[str, Any]:
    api = {"ApiId": {"Ref": "HttpApi"}}
    source = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*"
    return {
        "HttpApi": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "small", "ProtocolType": "HTTP"}},
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **api,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": _att("Api"),
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **api,
                "RouteKey": "ANY /notes",
                "Target": {"Fn::Sub": "integrations/${Integration}"},
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "Keys"},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {**api, "StageName": "$default", "AutoDeploy": True},
        },
        "ApiPermission": _permission("Api", "apigateway.amazonaws.com", {"Fn::Sub": source}),
        "AuthorizerPermission": _permission("Authorizer", "apigateway.amazonaws.com", {"Fn::Sub": source}),
    }


def write_small_assembly(folder: Path) -> Path:
    """Write the assembly into `folder` and return it."""
    (folder / "asset.code").mkdir(parents=True)
    (folder / "asset.code" / "small.py").write_text(CODE, encoding="utf-8")
    outputs = {"Url": {"Value": _att("HttpApi", "ApiEndpoint")}, "Table": {"Value": {"Ref": "Table"}}}
    resources = _data() | _events() | _functions() | _alarms() | _machine() | _keys() | _api()
    template = {"Resources": resources, "Outputs": outputs}
    (folder / "small.template.json").write_text(json.dumps(template), encoding="utf-8")
    files = {
        "code": {
            "source": {"path": "asset.code", "packaging": "zip"},
            "destinations": {"here": {"bucketName": "assets", "objectKey": "code.zip"}},
        }
    }
    (folder / "small.assets.json").write_text(json.dumps({"files": files}), encoding="utf-8")
    artifacts = {
        "small.assets": {"type": "cdk:asset-manifest", "properties": {"file": "small.assets.json"}},
        "small": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "small.template.json"},
            "dependencies": ["small.assets"],
        },
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return folder
