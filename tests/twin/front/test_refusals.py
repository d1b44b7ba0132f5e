"""What SQS, S3, EventBridge and Step Functions refuse, by their API references."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import Client, MakeRole, allow

pytestmark = pytest.mark.twin


def fail(call: Any, **request: Any) -> str:
    """Return the code of a call's error."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_message_has_a_body_of_characters_that_xml_has(client: Client) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert fail(sqs.send_message, QueueUrl=url, MessageBody="") == "MissingParameter"
    for text in ("a\x00b", "\x1b[1m", "end\ufffe", "\x0b"):
        assert fail(sqs.send_message, QueueUrl=url, MessageBody=text) == "InvalidMessageContents"
    for text in (" ", "tab\tline\r\n", "\ufffd", "😀", "\x7f"):
        sqs.send_message(QueueUrl=url, MessageBody=text)


def test_each_message_of_a_batch_is_taken_or_refused_by_itself(client: Client) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    bodies = {"empty": "", "zero": "a\x00", "good": "a", "also": "b"}
    answer = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": name, "MessageBody": body} for name, body in bodies.items()]
    )
    assert {one["Id"]: one["Code"] for one in answer["Failed"]} == {
        "empty": "MissingParameter",
        "zero": "InvalidMessageContents",
    }
    assert [one["Id"] for one in answer["Successful"]] == ["good", "also"]
    none = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "x", "MessageBody": ""}])
    assert [one["Id"] for one in none["Failed"]] == ["x"] and not none.get("Successful")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert sorted(one["Body"] for one in received) == ["a", "b"]


def test_attributes_of_a_message_are_ten_with_values_and_count_to_its_size(client: Client) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]

    def text(value: str) -> dict[str, str]:
        return {"DataType": "String", "StringValue": value}

    wrong: list[dict[str, Any]] = [
        {"a": text("\x00")},
        {"a": text("")},
        {"a": {"DataType": "Number.int", "StringValue": ""}},
        {"a": {"DataType": "Binary", "BinaryValue": b""}},
        {f"a{number}": text("x") for number in range(11)},
        {"a": text("x" * 600_000), "b": {"DataType": "Binary", "BinaryValue": b"x" * 600_000}},
    ]
    for attributes in wrong:
        given = {"MessageBody": "a", "MessageAttributes": attributes}
        assert fail(sqs.send_message, QueueUrl=url, **given) == "InvalidParameterValue"
        batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "x", **given}])
        assert batch["Failed"][0]["Code"] == "InvalidParameterValue"
    sqs.send_message(
        QueueUrl=url,
        MessageBody="x" * 1000,
        MessageAttributes={f"a{number}": text("x" * 10) for number in range(10)},
    )


def test_a_key_of_an_object_has_1024_bytes_at_most(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    assert fail(s3.put_object, Bucket="docs", Key="é" * 513, Body=b"") == "KeyTooLongError"
    s3.put_object(Bucket="docs", Key="é" * 512, Body=b"")


def test_a_bucket_takes_no_lists_of_grants_but_its_owners(client: Client) -> None:
    # S3 user guide, "Controlling ownership of objects": new buckets have their owner enforced.
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    s3.put_object(Bucket="docs", Key="a", Body=b"", ACL="bucket-owner-full-control")
    assert fail(s3.put_object, Bucket="docs", Key="a", Body=b"", ACL="public-read") == "AccessControlListNotSupported"
    assert fail(s3.put_object_acl, Bucket="docs", Key="a", ACL="private") == "AccessControlListNotSupported"


def test_who_puts_an_object_with_grants_needs_the_right_to_put_grants(client: Client, role: MakeRole) -> None:
    client("s3").create_bucket(Bucket="docs")
    writer = client("s3", role(allow("s3:PutObject", "arn:aws:s3:::docs/*")))
    writer.put_object(Bucket="docs", Key="a", Body=b"")
    owned = {"Bucket": "docs", "Key": "a", "Body": b"", "ACL": "bucket-owner-full-control"}
    assert fail(writer.put_object, **owned) == "AccessDenied"
    both = client("s3", role(allow(["s3:PutObject", "s3:PutObjectAcl"], "arn:aws:s3:::docs/*"), name="both"))
    both.put_object(**owned)


def test_the_entries_of_put_events_are_1_megabyte_at_most(client: Client) -> None:
    events = client("events")

    def entries(size: int) -> list[dict[str, str]]:
        detail = json.dumps({"x": "x" * (size // 2)})
        return [{"Source": "s", "DetailType": "t", "Detail": detail} for _ in range(2)]

    assert fail(events.put_events, Entries=entries(1024 * 1024)) == "ValidationException"
    assert events.put_events(Entries=entries(1000 * 1024))["FailedEntryCount"] == 0


def test_a_rules_pattern_is_checked_when_it_is_put(client: Client) -> None:
    events = client("events")
    wrong: list[object] = [
        [],
        {},
        {"source": "mine"},
        {"source": []},
        {"source": [["mine"]]},
        {"detail": {"x": [{"starts": "a"}]}},
        {"detail": {"x": [{"prefix": "a", "suffix": "b"}]}},
        {"detail": {"x": [{"prefix": 1}]}},
        {"detail": {"x": [{"numeric": [">", "1"]}]}},
        {"detail": {"x": [{"numeric": ["~", 1]}]}},
        {"detail": {"x": [{"anything-but": {"numeric": [">", 1]}}]}},
        {"detail": {"x": [{"exists": "yes"}]}},
        {"detail": {"x": [{"cidr": "10.0.0.0/99"}]}},
        {"$or": [{"source": ["a"]}]},
        {"detail": {"x": [{"numeric": ["<", 5, ">", 1]}]}},
        {"detail": {"x": [{"numeric": [">", 5, "<", 1]}]}},
        {"detail": {"x": [{"numeric": [">", 1, ">", 2]}]}},
        {"detail": {"x": [{"anything-but": []}]}},
        {"detail": {"x": [{"anything-but": ["a", 1]}]}},
        {"detail": {"x": [{"anything-but": [True]}]}},
    ]
    codes = {fail(events.put_rule, Name="r", EventPattern=json.dumps(pattern)) for pattern in wrong}
    assert codes == {"InvalidEventPatternException"}
    assert fail(events.put_rule, Name="r", EventPattern="{") == "InvalidEventPatternException"
    right = {
        "source": ["mine", {"prefix": {"equals-ignore-case": "A"}}],
        "detail": {"x": [{"numeric": [">", 1, "<=", 5]}, None, True], "y": [{"anything-but": {"prefix": ["a", "b"]}}]},
        "$or": [{"account": [{"exists": False}]}, {"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}],
    }
    assert events.put_rule(Name="r", EventPattern=json.dumps(right))["RuleArn"]
    long = json.dumps({"source": ["x" * 4096]})
    assert fail(events.put_rule, Name="r", EventPattern=long) == "ValidationException"
    assert fail(events.put_rule, Name="a b", EventPattern=json.dumps(right)) == "ValidationException"
    for schedule in ("rate(1 minutes)", "rate(2 hour)", "rate(10 day)"):
        assert fail(events.put_rule, Name="r", ScheduleExpression=schedule) == "ValidationException"
    for schedule in ("rate(1 minute)", "rate(12 hours)"):
        assert events.put_rule(Name="s", ScheduleExpression=schedule)["RuleArn"]
