"""Events reach each target exactly once, in the shape AWS gives them, with the rights EventBridge has."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.twin.pumps.world import Resources, World, att, queue, rule, until, world
from twin.pumps.delivery import DeliveryFailed

DEAD_LETTER = {"DeadLetterConfig": {"Arn": att("Dead")}}


def put(twin: World, detail: object, **more: Any) -> str:
    entry = {"Source": "shop", "DetailType": "Order", "Detail": json.dumps(detail), **more}
    [result] = twin.client("events").put_events(Entries=[entry])["Entries"]
    return str(result["EventId"])


def to_queue(**target: Any) -> Resources:
    return {
        "Dead": queue("dead"),
        "Queue": queue("target"),
        "Rule": rule({"source": ["shop"]}, {"Arn": att("Queue"), **target}),
    }


def bodies(twin: World, name: str = "target") -> list[Any]:
    return [json.loads(message["Body"]) for message in twin.taken(name)]


def test_event_reaches_a_queue_exactly_once(tmp_path: Path) -> None:
    with world(to_queue(), tmp_path) as twin:
        moment = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
        identifier = put(twin, {"n": 1}, Resources=["arn:x"], Time=moment)
        until(lambda: twin.depth("target") and twin.pumps.is_idle())
        [event] = bodies(twin)
    assert event == {
        "version": "0",
        "id": identifier,
        "detail-type": "Order",
        "source": "shop",
        "account": "123456789012",
        "time": "2026-05-06T07:08:09Z",
        "region": "us-east-1",
        "resources": ["arn:x"],
        "detail": {"n": 1},
    }


def test_event_that_does_not_match_goes_nowhere(tmp_path: Path) -> None:
    with world(to_queue(), tmp_path) as twin:
        put(twin, {}, Source="other")
        put(twin, {"last": True})
        until(lambda: twin.depth("target") and twin.pumps.is_idle())
        assert [event["detail"] for event in bodies(twin)] == [{"last": True}]


def test_event_of_another_bus_does_not_match(tmp_path: Path) -> None:
    resources = to_queue() | {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "own"}}}
    with world(resources, tmp_path) as twin:
        put(twin, {"bus": "own"}, EventBusName="own")
        put(twin, {"bus": "default"})
        until(lambda: twin.depth("target") and twin.pumps.is_idle())
        assert [event["detail"] for event in bodies(twin)] == [{"bus": "default"}]


def test_disabled_rule_delivers_nothing(tmp_path: Path) -> None:
    with world(to_queue(), tmp_path) as twin:
        twin.client("events").disable_rule(Name="rule")
        put(twin, {})
        assert twin.pumps.is_idle()
        assert twin.depth("target") == 0


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"InputPath": "$.detail.items[1]"}, {"sku": "b"}),
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.n", "who": "$.detail.who", "items": "$.detail.items"},
                    "InputTemplate": '{"n": <n>, "who": <who>, "all": <items>, "text": "<who> has <n>"}',
                }
            },
            {"n": 1, "who": 'A "b"', "all": [{"sku": "a"}, {"sku": "b"}], "text": 'A "b" has 1'},
        ),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {},
                    "InputTemplate": '{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>"}',
                }
            },
            {"rule": "rule", "arn": "arn:aws:events:us-east-1:123456789012:rule/rule"},
        ),
    ],
)
def test_target_receives_what_its_input_asks_for(tmp_path: Path, target: dict[str, Any], expected: object) -> None:
    with world(to_queue(**target), tmp_path) as twin:
        put(twin, {"n": 1, "who": 'A "b"', "items": [{"sku": "a"}, {"sku": "b"}]})
        assert bodies(twin) == [expected]


def test_queue_that_refuses_sends_the_event_to_the_dead_letter_queue(tmp_path: Path) -> None:
    with world(to_queue(**DEAD_LETTER), tmp_path) as twin:
        twin.refusals["arn:aws:sqs:us-east-1:123456789012:target"] = "no policy allows it"
        put(twin, {"n": 1})
        [message] = twin.taken("dead")
        assert twin.depth("target") == 0
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    assert attributes == {
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/rule",
        "TARGET_ARN": "arn:aws:sqs:us-east-1:123456789012:target",
        "ERROR_CODE": "AccessDenied",
        "ERROR_MESSAGE": "no policy allows it",
    }


def test_function_without_permission_is_not_called(tmp_path: Path) -> None:
    resources = {
        "Dead": queue("dead"),
        "Rule": rule({"source": ["shop"]}, {"Arn": att("WorkerFunction"), **DEAD_LETTER}),
    }
    with world(resources, tmp_path, worker=lambda _: {}) as twin:
        put(twin, {})
        [message] = twin.taken("dead")
        assert twin.received("worker") == []
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"


def test_failed_delivery_is_tried_again(tmp_path: Path) -> None:
    resources = {
        "Rule": rule({"source": ["shop"]}, {"Arn": att("WorkerFunction")}),
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": att("WorkerFunction"),
                "Principal": "events.amazonaws.com",
                "SourceArn": att("Rule"),
            },
        },
    }
    calls: list[int] = []

    def flaky(_: dict[str, Any]) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise DeliveryFailed("TooManyRequestsException", "busy")
        return {}

    with world(resources, tmp_path, worker=flaky) as twin:
        put(twin, {})
        until(lambda: len(calls) == 2 and twin.pumps.is_idle())


def test_retries_end_where_the_policy_says(tmp_path: Path) -> None:
    def fail(_: dict[str, Any]) -> object:
        raise DeliveryFailed("TooManyRequestsException", "busy")

    retry = {"RetryPolicy": {"MaximumRetryAttempts": 1}}
    resources = {
        "Dead": queue("dead"),
        "Rule": rule({"source": ["shop"]}, {"Arn": att("WorkerFunction"), **DEAD_LETTER, **retry}),
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": att("WorkerFunction"),
                "Principal": "events.amazonaws.com",
            },
        },
    }
    with world(resources, tmp_path, worker=fail) as twin:
        put(twin, {})
        assert len(twin.taken("dead")) == 1
        assert len(twin.received("worker")) == 2


def eventful_bucket(**properties: Any) -> Resources:
    enabled = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    return {
        "Queue": queue("target"),
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "docs", "NotificationConfiguration": enabled, **properties},
        },
        "Rule": rule({"source": ["aws.s3"]}, {"Arn": att("Queue")}),
    }


VERSIONED = {"VersioningConfiguration": {"Status": "Enabled"}}


def test_object_created_has_the_shape_of_aws(tmp_path: Path) -> None:
    with world(eventful_bucket(), tmp_path) as twin:
        twin.client("s3").put_object(Bucket="docs", Key="a b/ü.md", Body=b"hello")
        until(lambda: twin.depth("target") and twin.pumps.is_idle())
        [event] = bodies(twin)
    detail = event["detail"]
    assert re.fullmatch(r"[0-9A-F]{18}", detail["object"].pop("sequencer"))
    assert re.fullmatch(r"[0-9A-F]{16}", detail.pop("request-id"))
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["resources"] == ["arn:aws:s3:::docs"]
    assert detail == {
        "version": "0",
        "bucket": {"name": "docs"},
        "object": {"key": "a b/ü.md", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"},
        "requester": "123456789012",
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }


def test_deletion_in_a_versioned_bucket_tells_its_marker(tmp_path: Path) -> None:
    with world(eventful_bucket(**VERSIONED), tmp_path) as twin:
        client = twin.client("s3")
        version = client.put_object(Bucket="docs", Key="a", Body=b"x")["VersionId"]
        [created] = bodies(twin)
        marker = client.delete_object(Bucket="docs", Key="a")["VersionId"]
        [deleted] = bodies(twin)
        client.delete_object(Bucket="docs", Key="a", VersionId=version)
        [purged] = bodies(twin)
    assert created["detail"]["object"]["version-id"] == version
    assert deleted["detail-type"] == "Object Deleted"
    assert deleted["detail"]["deletion-type"] == "Delete Marker Created"
    assert deleted["detail"]["object"]["version-id"] == marker
    assert "size" not in deleted["detail"]["object"]
    assert purged["detail"]["deletion-type"] == "Permanently Deleted"
    assert purged["detail"]["object"]["version-id"] == version


def test_multi_object_delete_and_copy_tell_each_object(tmp_path: Path) -> None:
    with world(eventful_bucket(), tmp_path) as twin:
        client = twin.client("s3")
        client.put_object(Bucket="docs", Key="a", Body=b"x")
        client.copy_object(Bucket="docs", Key="b", CopySource={"Bucket": "docs", "Key": "a"})
        client.delete_objects(Bucket="docs", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
        until(lambda: twin.depth("target") == 4 and twin.pumps.is_idle())
        events = bodies(twin)
    told = sorted((event["detail"]["reason"], event["detail"]["object"]["key"]) for event in events)
    assert told == [("CopyObject", "b"), ("DeleteObject", "a"), ("DeleteObject", "b"), ("PutObject", "a")]


def test_multipart_upload_tells_one_event(tmp_path: Path) -> None:
    with world(eventful_bucket(), tmp_path) as twin:
        client = twin.client("s3")
        where = {"Bucket": "docs", "Key": "big"}
        upload = client.create_multipart_upload(**where)["UploadId"]
        part = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        until(lambda: twin.depth("target") and twin.pumps.is_idle())
        assert [event["detail"]["reason"] for event in bodies(twin)] == ["CompleteMultipartUpload"]


def test_bucket_without_eventbridge_tells_nothing(tmp_path: Path) -> None:
    quiet = {"Quiet": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "quiet"}}}
    with world(eventful_bucket() | quiet, tmp_path) as twin:
        twin.client("s3").put_object(Bucket="quiet", Key="a", Body=b"x")
        assert twin.pumps.is_idle()
        assert twin.depth("target") == 0


def test_state_machine_target_starts_one_execution_named_after_the_event(tmp_path: Path) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": att("Role"),
                "DefinitionString": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            },
        },
        "Rule": rule({"source": ["shop"]}, {"Arn": {"Ref": "Machine"}, "RoleArn": att("Role")}),
    }
    with world(resources, tmp_path) as twin:
        identifier = put(twin, {"n": 1})
        client = twin.client("stepfunctions")
        [arn] = twin.deployment.state_machines
        [execution] = until(lambda: client.list_executions(stateMachineArn=arn)["executions"])
        started = client.describe_execution(executionArn=execution["executionArn"])
    assert execution["name"].startswith(identifier)
    assert json.loads(started["input"])["detail"] == {"n": 1}


def test_moto_gets_its_own_delivery_back_when_the_pumps_stop(tmp_path: Path) -> None:
    from moto.events.models import Rule
    from moto.s3 import notifications
    from moto.s3.models import S3Backend
    from moto.sqs.models import Queue, SQSBackend

    def methods() -> list[object]:
        return [
            Rule.send_to_targets,
            notifications.send_event,
            S3Backend.delete_object,
            Queue.add_message,
            SQSBackend.change_message_visibility,
        ]

    before = methods()
    with world(to_queue(), tmp_path):
        assert not any(now is then for now, then in zip(methods(), before, strict=True))
    assert methods() == before
