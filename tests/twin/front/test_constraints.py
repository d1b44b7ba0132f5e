"""What AWS's models state of requests: moto takes most of it, or refuses it in words of its own."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client

pytestmark = pytest.mark.twin

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"


def refuse(call: Any, **request: Any) -> tuple[str, str]:
    """Return code and message of a call's error."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def tell(value: str, place: str, told: str) -> str:
    """Return AWS's words for one fault."""
    return f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {told}"


def send_raw(client: Client, body: bytes) -> Any:
    """Return a PutParameter that sends this, past the checks of botocore."""
    ssm = client("ssm")
    ssm.meta.events.register("before-call.ssm.PutParameter", lambda params, **_: params.update(body=body))
    return ssm.put_parameter


def test_a_length_is_refused_in_the_words_of_aws(client: Client) -> None:
    # moto stores any description, and any value of a secret.
    secrets = client("secretsmanager")
    long = "x" * 513
    told = tell(long, "name", "Member must have length less than or equal to 512")
    assert refuse(secrets.create_secret, Name=long, SecretString="a") == ("ValidationException", told)
    code, message = refuse(secrets.create_secret, Name="a", SecretString="x" * 65_537)
    assert code == "ValidationException" and "at 'secretString'" in message and "xxx" not in message
    assert refuse(secrets.create_secret, Name="a", Description="x" * 2049)[0] == "ValidationException"


def test_characters_ranges_and_words_of_a_list_are_those_of_the_model(client: Client) -> None:
    events, kms, logs = client("events"), client("kms"), client("logs")
    told = tell("a b", "name", r"Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+")
    assert refuse(events.put_rule, Name="a b", ScheduleExpression="rate(1 day)") == ("ValidationException", told)
    assert (
        "Member must satisfy enum value set: [ENABLED, DISABLED"
        in (refuse(events.put_rule, Name="a", ScheduleExpression="rate(1 day)", State="ON")[1])
    )
    assert refuse(kms.list_keys, Limit=1001)[1] == tell(
        "1001", "limit", "Member must have value less than or equal to 1000"
    )
    assert refuse(logs.create_log_group, logGroupName="a b")[0] == "InvalidParameterException"


def test_a_blob_is_measured_in_bytes_and_not_in_the_base64_that_it_is_sent_in(client: Client) -> None:
    kms, secrets = client("kms"), client("secretsmanager")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for length in (1, 2, 3, 4_094, 4_095, 4_096):
        sealed = kms.encrypt(KeyId=key, Plaintext=b"\xff" * length)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"\xff" * length
    code, message = refuse(kms.encrypt, KeyId=key, Plaintext=b"\xff" * 4_097)
    assert (code, "at 'plaintext' failed" in message) == ("ValidationException", True)
    assert "less than or equal to 4096" in message and "////" not in message
    code, message = refuse(kms.decrypt, CiphertextBlob=b"\xff" * 6_145)
    assert "Value at 'ciphertextBlob' failed to satisfy constraint" in message and "6144" in message
    assert secrets.create_secret(Name="whole", SecretBinary=b"\xff" * 65_536)["Name"] == "whole"
    assert refuse(secrets.create_secret, Name="more", SecretBinary=b"\xff" * 65_537)[0] == "ValidationException"


def test_what_is_nested_is_told_by_its_place(client: Client) -> None:
    events = client("events")
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    targets = [{"Id": "good", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}, {"Id": "x y", "Arn": "a" * 1601}]
    code, message = refuse(events.put_targets, Rule="r", Targets=targets)
    assert (code, message.split(":")[0]) == ("ValidationException", "2 validation errors detected")
    assert "Value 'x y' at 'targets.2.member.id'" in message and "at 'targets.2.member.arn'" in message


def test_a_rest_request_is_read_with_its_content(client: Client) -> None:
    schedule: dict[str, Any] = {
        "Name": "nightly",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441},
        "Target": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "RoleArn": ROLE},
    }
    assert refuse(client("scheduler").create_schedule, **schedule)[1] == tell(
        "1441", "flexibleTimeWindow.maximumWindowInMinutes", "Member must have value less than or equal to 1440"
    )
    mapping = {"EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "FunctionName": "f"}
    refused = refuse(client("lambda").create_event_source_mapping, **mapping, MaximumBatchingWindowInSeconds=301)
    assert refused[0] == "ValidationException" and "'maximumBatchingWindowInSeconds'" in refused[1]


def test_a_form_is_read_as_its_model_has_it(client: Client) -> None:
    iam = client("iam")
    code, message = refuse(iam.create_role, RoleName="a b", AssumeRolePolicyDocument="{}")
    assert code == "ValidationError" and "Value 'a b' at 'roleName'" in message


def test_a_key_or_value_of_a_map_is_told_of_the_map(client: Client) -> None:
    dynamodb = client("dynamodb")
    writes = [{"DeleteRequest": {"Key": {"pk": {"S": str(number)}}}} for number in range(26)]
    refused = refuse(dynamodb.batch_write_item, RequestItems={"items": writes})[1]
    assert "Map value must satisfy constraint: [Member must have length less than or equal to 25, " in refused
    refused = refuse(dynamodb.batch_write_item, RequestItems={"a" * 1025: writes[:1]})[1]
    assert "Map keys must satisfy constraint: [Member must have length less than or equal to " in refused


def test_tags_take_letters_of_any_script(client: Client) -> None:
    # Java's `\p{L}`, which Python has not.
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    iam.tag_role(RoleName="r", Tags=[{"Key": "équipe 数据", "Value": "a@b+c=d"}])
    assert refuse(iam.tag_role, RoleName="r", Tags=[{"Key": "a*", "Value": ""}])[0] == "ValidationError"


def test_what_a_client_left_unchecked_is_refused_and_no_failure_of_the_service(client: Client) -> None:
    code, message = refuse(send_raw(client, b'{"Name": "a"}'), Name="a", Value="b")
    assert code == "ValidationException" and "Value null at 'value'" in message


def test_a_value_of_another_type_is_no_request(client: Client) -> None:
    for body, told in (
        (b'{"Name": 1, "Value": "a"}', "NUMBER_VALUE can not be converted to String"),
        (b'{"Name": {"a": 1}, "Value": "a"}', "Start of structure or map found where not expected."),
        (b'{"Name": ["a"], "Value": "a"}', "Start of list found where not expected"),
    ):
        assert refuse(send_raw(client, body), Name="a", Value="b") == ("SerializationException", told)


HALF = "\ud83d"


@pytest.mark.parametrize("half", [HALF, "\ude00", f"a{HALF}b"])
def test_half_of_a_surrogate_pair_is_refused_by_every_service_that_reads_json(client: Client, half: str) -> None:
    dynamodb, events, secrets = client("dynamodb"), client("events"), client("secretsmanager")
    dynamodb.create_table(
        TableName="halves",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    calls = (
        (dynamodb.put_item, {"TableName": "halves", "Item": {"pk": {"S": "a"}, "v": {"S": half}}}),
        (dynamodb.put_item, {"TableName": "halves", "Item": {"pk": {"S": "a"}, "v": {"M": {half: {"N": "1"}}}}}),
        (events.put_events, {"Entries": [{"Source": "a", "DetailType": "b", "Detail": json.dumps({"v": 1}) + half}]}),
        (secrets.create_secret, {"Name": "a", "SecretString": half}),
    )
    for call, request in calls:
        assert refuse(call, **request) == ("SerializationException", "a text holds half of a surrogate pair")
    created = secrets.create_secret(Name="whole", SecretString="\U0001f600")
    assert secrets.get_secret_value(SecretId=created["ARN"])["SecretString"] == "\U0001f600"
