"""Two releases of one small stack: a machine that waits for a human and then calls a function, behind an alias."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ACCOUNT = "arn:aws:states:us-east-1:123456789012"
MACHINE = f"{ACCOUNT}:stateMachine:say"
LIVE = f"{MACHINE}:live"
QUICK = f"{ACCOUNT}:stateMachine:quick"
_CODE = """
import os

WORD = {word!r}


def handler(event, context):
    return {{"word": WORD, "arn": context.invoked_function_arn, "variable": os.environ["WORD"]}}
"""
CANARY: Json = {"Type": "CANARY", "Percentage": 20, "Interval": 5}
LINEAR: Json = {"Type": "LINEAR", "Percentage": 40, "Interval": 5}
AT_ONCE: Json = {"Type": "ALL_AT_ONCE"}


def att(logical_id: str, name: str = "Arn") -> Json:
    """Return Fn::GetAtt."""
    return {"Fn::GetAtt": [logical_id, name]}


def role(service: str, *statements: Json) -> Json:
    """Return a role with an inline policy."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    properties: Json = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        properties["Policies"] = [{"PolicyName": "own", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def allow(action: str, resource: Any) -> Json:
    """Return a statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _definition(word: str, version: str) -> Json:
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": "${Questions}", "MessageBody": "{% $states.context.Task.Token %}"},
        "Output": "{% $states.input %}",
        "TimeoutSeconds": "{% $states.input.wait %}",
        "Next": "Say",
    }
    say = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": f"${{{version}}}", "Payload": {}},
        "Output": f"{{% $merge([$states.result.Payload, {{'definition': '{word}'}}]) %}}",
        "End": True,
    }
    asked = {"Condition": "{% $exists($states.input.wait) %}", "Next": "Ask"}
    first = {"Type": "Choice", "Choices": [asked], "Default": "Say"}
    return {"QueryLanguage": "JSONata", "StartAt": "First", "States": {"First": first, "Ask": ask, "Say": say}}


def resources(word: str, number: int, preference: Json) -> Json:
    """Return the stack's resources in the release whose code and definition say `word`."""
    version = f"SayVersion{number}"
    versions = [{"Fn::Join": ["", [att("Say"), f":{one}"]]} for one in range(1, number + 1)]
    return {
        "Questions": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "questions"}},
        "SayRole": role("lambda.amazonaws.com"),
        "Say": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "say",
                "Code": {"S3Bucket": "assets", "S3Key": f"{word}.zip"},
                "Handler": "say.handler",
                "Runtime": "python3.13",
                "Role": att("SayRole"),
                "Environment": {"Variables": {"WORD": word}},
            },
        },
        version: {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Say"}},
            "UpdateReplacePolicy": "Retain",
            "DeletionPolicy": "Retain",
        },
        "SayLive": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Say"},
                "FunctionVersion": att(version, "Version"),
                "Name": "live",
            },
        },
        "Heard": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "heard", "EventPattern": {"source": [word]}},
        },
        "MachineRole": role(
            "states.amazonaws.com",
            allow("sqs:SendMessage", att("Questions")),
        ),
        "Overflow": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Roles": [{"Ref": "MachineRole"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [allow("lambda:InvokeFunction", versions)],
                },
            },
        },
        "StarterRole": role(
            "lambda.amazonaws.com",
            allow("states:StartExecution", {"Ref": "Machine"})
            | {"Condition": {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": ["live"]}}},
        ),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "say",
                "RoleArn": att("MachineRole"),
                "DefinitionString": json.dumps(_definition(word, version)),
                "DefinitionSubstitutions": {version: {"Ref": version}, "Questions": {"Ref": "Questions"}},
            },
        },
        "MachineVersion": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": att("Machine", "StateMachineRevisionId"),
            },
            "UpdateReplacePolicy": "Retain",
            "DeletionPolicy": "Retain",
        },
        "MachineLive": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "DeploymentPreference": {"StateMachineVersionArn": att("MachineVersion"), **preference},
            },
        },
    }


def write(folder: Path, word: str, number: int, *, preference: Json = AT_ONCE, **changes: Any) -> Path:
    """Write one release into `folder`, which the releases share as `cdk.out` is shared, and return it.

    Args:
        folder: where.
        word: what the release's code, configuration and definition say.
        number: of the release.
        preference: how its alias moves.
        changes: resources to add or replace by logical id; None takes one away.
    """
    code = folder / f"asset.{word}"
    code.mkdir(parents=True, exist_ok=True)
    (code / "say.py").write_text(_CODE.format(word=word), encoding="utf-8")
    body = {key: one for key, one in {**resources(word, number, preference), **changes}.items() if one is not None}
    (folder / "say.template.json").write_text(json.dumps({"Resources": body}), encoding="utf-8")
    asset = {
        "source": {"path": code.name, "packaging": "zip"},
        "destinations": {"here": {"bucketName": "assets", "objectKey": f"{word}.zip"}},
    }
    (folder / "say.assets.json").write_text(json.dumps({"files": {word: asset}}), encoding="utf-8")
    artifacts = {
        "say.assets": {"type": "cdk:asset-manifest", "properties": {"file": "say.assets.json"}},
        "say": {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "say.template.json"},
            "dependencies": ["say.assets"],
        },
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return folder
