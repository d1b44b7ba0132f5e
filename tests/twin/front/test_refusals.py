"""What SQS, S3, EventBridge and Step Functions refuse, by their API references."""

import json
from datetime import UTC, datetime
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


def test_a_pattern_is_compiled_as_eventbridge_compiles_it(client: Client) -> None:
    # By aws/event-ruler, which EventBridge compiles patterns with.
    events = client("events")
    wrong = (
        *('{"cidr": 5}', '{"cidr": "10.0.0.1"}', '{"cidr": "10.0.0.0/32"}', '{"cidr": "::1/128"}', '{"cidr": "a/8"}'),
        *('{"anything-but": {"prefix": []}}', '{"anything-but": {"suffix": ""}}', '{"anything-but": {"prefix": [1]}}'),
        *('{"anything-but": {"prefix": "a", "suffix": "b"}}', '{"anything-but": {"wildcard": ["a", "b**"]}}'),
        *("NaN", "-Infinity", '{"prefix": "a", "prefix": "b"}', '{"prefix": {"equals-ignore-case": 1}}', "{}"),
        *(r'{"wildcard": "a\\x"}', r'{"wildcard": "a\\"}', r'{"wildcard": "\\\\**"}', '{"wildcard": ["a"]}'),
        *('{"numeric": [">", 5000000001]}', '{"numeric": ["=", 0.1234567]}', '{"numeric": [">"]}', '{"numeric": []}'),
        *('{"numeric": ["=", 1, "<", 2]}', '{"numeric": ["<", 2, ">", 1]}', '{"numeric": [">", 1, "<", 1]}'),
        *('{"anything-but": [5000000001]}', '{"exists": 1}', "01", "[]"),
    )
    for test in wrong:
        text = f'{{"detail": {{"x": [{test}]}}}}'
        assert fail(events.put_rule, Name="r", EventPattern=text) == "InvalidEventPatternException", test
    for text in ('{"$or": [{"prefix": ["a"]}, {"a": ["b"]}]}', '{"$or": {"a": ["b"]}}', '{"source": ["a"],}'):
        assert fail(events.put_rule, Name="r", EventPattern=text) == "InvalidEventPatternException", text
    right = (
        *(
            '{"cidr": "10.0.0.5/24"}',
            '{"cidr": "2001:db8::/32"}',
            '{"anything-but": {"prefix": ["a", "b"]}}',
            "123456789012",
        ),
        *(r'{"wildcard": "a\\**"}', r'{"wildcard": "a\\\\*"}', '{"numeric": [">=", -5e9, "<", 5e9]}', "0.12345678"),
        *('{"prefix": ""}', '{"numeric": ["=", 3.018000000e2]}', '{"anything-but": [1, 2.5]}', '{"exists": false}'),
    )
    for test in right:
        assert events.put_rule(Name="r", EventPattern=f'{{"detail": {{"x": [{test}]}}}}')["RuleArn"], test
    # Of a field that stands twice the last one counts, as with every reader of JSON.
    assert events.put_rule(Name="r", EventPattern='{"source": ["a"], "source": ["b"]}')["RuleArn"]


def test_a_rule_has_five_targets_each_with_one_input_and_a_role_where_one_is_needed(client: Client) -> None:
    events = client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["a"]}')
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    several = [{"Id": str(number), "Arn": queue} for number in range(6)]
    assert fail(events.put_targets, Rule="r", Targets=several) == "LimitExceededException"
    events.put_targets(Rule="r", Targets=several[:5])
    events.put_targets(Rule="r", Targets=several[:2])
    assert fail(events.put_targets, Rule="r", Targets=several[5:]) == "LimitExceededException"
    one = {"Id": "0", "Arn": queue}
    transformer = {"InputTransformer": {"InputTemplate": '"a"'}}
    for wrong in (
        *({"Input": "{}", "InputPath": "$.a"}, {"InputPath": "$", **transformer}, {"Input": "{"}),
        {"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"},
    ):
        assert fail(events.put_targets, Rule="r", Targets=[{**one, **wrong}]) == "ValidationException", wrong
    for right in ({"Input": '{"a": 1}'}, {"InputPath": "$.detail"}, transformer):
        assert events.put_targets(Rule="r", Targets=[{**one, **right}])["FailedEntryCount"] == 0, right


def test_each_entry_of_put_events_is_put_or_refused_by_itself(client: Client) -> None:
    # moto puts events of AWS's own sources, details that are no objects, and types of any length.
    events = client("events")
    good = {"Source": "mine", "DetailType": "t", "Detail": "{}"}
    entries: list[dict[str, Any]] = [
        good,
        {**good, "Source": "aws.s3"},
        {**good, "Detail": "[1]"},
        {**good, "Detail": '{"a": NaN}'},
        {**good, "DetailType": "t" * 129},
        {**good, "DetailType": ""},
        {"Source": "mine", "DetailType": "t"},
        {**good, "DetailType": "t" * 128},
    ]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 6
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        *(None, "NotAuthorizedForSourceException", "MalformedDetail", "MalformedDetail"),
        *("InvalidArgument", "InvalidArgument", "InvalidArgument", None),
    ]
    assert all(entry.get("EventId") or entry["ErrorMessage"] for entry in answer["Entries"])
    refused = events.put_events(Entries=[{**good, "Source": "AWS.s3"}])["Entries"]
    assert refused == [
        {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    ]
    assert fail(events.put_events, Entries=[good] * 11) == "ValidationException"


def test_a_rule_has_a_pattern_or_a_schedule_that_can_be_read(client: Client) -> None:
    events = client("events")
    assert fail(events.put_rule, Name="r") == "ValidationException"
    for wrong in ("at(2030-01-01T00:00:00)", "cron(0 0 ? * 2#6 *)", "cron(0 0 40W * ? *)", "cron(0/0 0 1 * ? *)", "no"):
        assert fail(events.put_rule, Name="r", ScheduleExpression=wrong) == "ValidationException", wrong
    for right in ("cron(0 12 ? * L *)", "cron(0/15 9-17 ? * MON-FRI 2030)", "cron(0 0 31W 1,3 ? *)"):
        assert events.put_rule(Name="r", ScheduleExpression=right)["RuleArn"]


def test_numbers_of_a_queue_and_of_its_requests_are_in_their_ranges(client: Client) -> None:
    # moto takes all of these but a MaximumMessageSize, and a WaitTimeSeconds never reaches it.
    sqs = client("sqs")
    wrong = {"DelaySeconds": "901", "MessageRetentionPeriod": "59", "ReceiveMessageWaitTimeSeconds": "21"}
    for name, value in (*wrong.items(), ("VisibilityTimeout", "43201"), ("VisibilityTimeout", "x"), ("Delay ", "1")):
        code = "InvalidAttributeName" if name.endswith(" ") else "InvalidAttributeValue"
        assert fail(sqs.create_queue, QueueName="bad", Attributes={name: value}) == code
    url = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "900", "VisibilityTimeout": "0"})["QueueUrl"]
    assert fail(sqs.set_queue_attributes, QueueUrl=url, Attributes=wrong) == "InvalidAttributeValue"
    for given in (
        *({"MaxNumberOfMessages": 11}, {"MaxNumberOfMessages": 0}, {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": -1}),
        *({"VisibilityTimeout": 43_201}, {"VisibilityTimeout": -1}),
    ):
        assert fail(sqs.receive_message, QueueUrl=url, **given) == "InvalidParameterValue", given
    assert fail(sqs.send_message, QueueUrl=url, MessageBody="a", DelaySeconds=-1) == "InvalidParameterValue"
    sent = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "x", "MessageBody": "a", "DelaySeconds": 901}])
    assert sent["Failed"][0]["Code"] == "InvalidParameterValue"
    hide = {"QueueUrl": url, "ReceiptHandle": "x", "VisibilityTimeout": 43_201}
    assert fail(sqs.change_message_visibility, **hide) == "InvalidParameterValue"


def test_metadata_and_tags_of_an_object_and_lists_of_deletions_have_bounds(client: Client) -> None:
    # moto takes metadata and lists of any length; tags it checks in PutObjectTagging alone.
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    assert fail(s3.put_object, Bucket="docs", Key="a", Metadata={"k": "v" * 2048}) == "MetadataTooLarge"
    s3.put_object(Bucket="docs", Key="a", Metadata={"k": "v" * 2047})
    many = "&".join(f"k{number}=v" for number in range(11))
    for tags, code in ((many, "BadRequest"), ("k=" + "v" * 257, "InvalidTag"), ("k=1&k=2", "InvalidTag")):
        assert fail(s3.put_object, Bucket="docs", Key="a", Tagging=tags) == code
    keys = [{"Key": str(number)} for number in range(1001)]
    assert fail(s3.delete_objects, Bucket="docs", Delete={"Objects": keys}) == "MalformedXML"
    assert fail(s3.delete_objects, Bucket="docs", Delete={"Objects": []}) == "MalformedXML"
    assert len(s3.delete_objects(Bucket="docs", Delete={"Objects": keys[:1000]})["Deleted"]) == 1000


def test_messages_of_topics_secrets_and_parameters_are_what_their_services_store(client: Client) -> None:
    sns, secrets, ssm = client("sns"), client("secretsmanager"), client("ssm")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for given in (
        *({"Message": ""}, {"Message": "é" * 131_073}, {"Message": "a", "Subject": "a\nb"}),
        *({"Message": "a", "Subject": "s" * 101}, {"Message": "a", "Subject": ""}),
    ):
        assert fail(sns.publish, TopicArn=topic, **given) == "InvalidParameter"
    sns.publish(TopicArn=topic, Message="é" * 131_072, Subject="s" * 100)
    assert fail(secrets.create_secret, Name="a b", SecretString="x") == "ValidationException"
    assert fail(secrets.create_secret, Name="a", SecretString="é" * 32_769) == "ValidationException"
    secrets.create_secret(Name="a/b+c=d.e@f!g", SecretString="é" * 32_768)
    long = {"Name": "p", "Type": "String", "Value": "x" * 4097}
    assert fail(ssm.put_parameter, **long) == "ValidationException"
    ssm.put_parameter(**long, Tier="Advanced")
    assert (
        fail(ssm.put_parameter, **{**long, "Name": "q", "Value": "x" * 8193}, Tier="Advanced") == "ValidationException"
    )


def test_a_page_of_a_list_of_objects_is_asked_for_as_s3_gave_it_out(client: Client) -> None:
    # moto answered both with an internal error.
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    for key in ("a", "b"):
        s3.put_object(Bucket="docs", Key=key, Body=b"")
    assert fail(s3.list_objects_v2, Bucket="docs", ContinuationToken="made-up") == "InvalidArgument"
    for listing in (s3.list_objects_v2, s3.list_objects, s3.list_object_versions):
        for wanted in (-1, 2**31, 10**4000):
            assert fail(listing, Bucket="docs", MaxKeys=wanted) == "InvalidArgument"
        assert listing(Bucket="docs", MaxKeys=0)["MaxKeys"] == 0
    page = s3.list_objects_v2(Bucket="docs", MaxKeys=1)
    rest = s3.list_objects_v2(Bucket="docs", ContinuationToken=page["NextContinuationToken"])
    assert [one["Key"] for one in rest["Contents"]] == ["b"]


def test_ids_attributes_and_policies_of_queues_have_their_form(client: Client) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert fail(sqs.send_message, QueueUrl=url, MessageBody="a", MessageDeduplicationId="d") == "InvalidParameterValue"
    for group in ("a b", "g" * 129, "ä"):
        sent = {"MessageBody": "a", "MessageGroupId": group, "MessageDeduplicationId": "d"}
        assert fail(sqs.send_message, QueueUrl=fifo, **sent) == "InvalidParameterValue", group
    sqs.send_message(QueueUrl=fifo, MessageBody="a", MessageGroupId="g!~", MessageDeduplicationId="d" * 128)
    for name, value in (
        ("AWS.a", {"DataType": "String", "StringValue": "x"}),
        ("a", {"DataType": "Number", "StringValue": "one"}),
    ):
        attributes = {name: value}
        code = fail(sqs.send_message, QueueUrl=url, MessageBody="a", MessageAttributes=attributes)
        assert code == "InvalidParameterValue", name
    number = {"a": {"DataType": "Number", "StringValue": "-1.5e3"}}
    sqs.send_message(QueueUrl=url, MessageBody="a", MessageAttributes=number)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for count in (0, 1001, "x"):
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})
        code = fail(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": policy})
        assert code == "InvalidParameterValue", count
    assert fail(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": "{"}) == "InvalidAttributeValue"
    assert fail(sqs.receive_message, QueueUrl=url, AttributeNames=["Other"]) == "InvalidAttributeName"
    assert sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    entries = [{"Id": str(number), "ReceiptHandle": "x"} for number in range(11)]
    assert fail(sqs.delete_message_batch, QueueUrl=url, Entries=entries).endswith("TooManyEntriesInBatchRequest")
    for batch in (sqs.delete_message_batch, sqs.change_message_visibility_batch):
        two = [{"Id": "a", "ReceiptHandle": handle} for handle in ("x", "y")]
        assert fail(batch, QueueUrl=url, Entries=two).endswith("BatchEntryIdsNotDistinct")
        assert fail(batch, QueueUrl=url, Entries=[]).endswith("EmptyBatchRequest")


def test_a_message_for_each_protocol_has_one_for_all_others(client: Client) -> None:
    sns = client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for text in ("a", "[]", '{"sqs": "a"}', '{"default": 1}'):
        assert fail(sns.publish, TopicArn=topic, Message=text, MessageStructure="json") == "InvalidParameter", text
    assert sns.publish(TopicArn=topic, Message='{"default": "a"}', MessageStructure="json")["MessageId"]


def test_a_schedule_has_a_window_times_and_a_target_that_fit(client: Client) -> None:
    scheduler = client("scheduler")
    target = {
        "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
    }
    good: dict[str, Any] = {
        "Name": "s",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    wrong: list[dict[str, Any]] = [
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
        {"Target": {**target, "Arn": "f"}},
        {"StartDate": datetime(2030, 1, 2, tzinfo=UTC), "EndDate": datetime(2030, 1, 1, tzinfo=UTC)},
    ]
    for changed in wrong:
        assert fail(scheduler.create_schedule, **good | changed) == "ValidationException", changed
    flexible = {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}}
    assert scheduler.create_schedule(**good | flexible)["ScheduleArn"]
