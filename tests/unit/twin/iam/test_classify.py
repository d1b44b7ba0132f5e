"""Each API call is told apart into the actions, resources and condition keys that AWS checks."""

from typing import Any

import pytest

from twin.iam.classify.accesses import classify_call
from twin.iam.classify.call import Call, UnknownCall
from twin.iam.model import Access

REGION = "us-east-1"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/items"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"


class Account:
    """An account with one table, one secret, one key and one waiting task."""

    def find_partition_key(self, table: str, index: str | None) -> str | None:
        return {None: "pk", "gsi1": "gsi1pk"}.get(index) if table == "items" else None

    def find_secret_arn(self, secret_id: str) -> str | None:
        return "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf" if secret_id == "s" else None

    def find_key_arn(self, key_id: str) -> str | None:
        return "arn:aws:kms:us-east-1:123456789012:key/k" if key_id == "alias/data" else None

    def find_token_machine(self, task_token: str) -> str | None:
        return MACHINE if task_token == "known" else None


def classified(service: str, operation: str, **params: Any) -> list[tuple[str, str]]:
    return [(access.action, access.resource) for access in full(service, operation, **params)]


def full(service: str, operation: str, **params: Any) -> list[Access]:
    return list(classify_call(Call(service, operation, params, REGION, Account())))


def item(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "x"}, "v": {"N": "1"}}


@pytest.mark.parametrize(
    ("operation", "where"), [("GetItem", "Key"), ("PutItem", "Item"), ("UpdateItem", "Key"), ("DeleteItem", "Key")]
)
def test_item_calls_carry_their_partition_key(operation: str, where: str) -> None:
    (access,) = full("dynamodb", operation, TableName="items", **{where: item("a")})
    assert (access.action, access.resource) == (f"dynamodb:{operation}", TABLE)
    assert access.context["dynamodb:LeadingKeys"] == ("a",)


def test_table_may_be_given_by_arn() -> None:
    (access,) = full("dynamodb", "GetItem", TableName=TABLE, Key=item("a"))
    assert access.resource == TABLE and access.context["dynamodb:LeadingKeys"] == ("a",)


def test_transaction_is_one_access_for_each_item() -> None:
    found = full(
        "dynamodb",
        "TransactWriteItems",
        TransactItems=[
            {"Put": {"TableName": "items", "Item": item("a")}},
            {"Update": {"TableName": "items", "Key": item("b")}},
            {"Delete": {"TableName": "items", "Key": item("c")}},
            {"ConditionCheck": {"TableName": "items", "Key": item("d")}},
        ],
    )
    assert [(access.action, access.context["dynamodb:LeadingKeys"]) for access in found] == [
        ("dynamodb:PutItem", ("a",)),
        ("dynamodb:UpdateItem", ("b",)),
        ("dynamodb:DeleteItem", ("c",)),
        ("dynamodb:ConditionCheckItem", ("d",)),
    ]
    assert {access.context["dynamodb:EnclosingOperation"] for access in found} == {"TransactWriteItems"}
    (read,) = full("dynamodb", "TransactGetItems", TransactItems=[{"Get": {"TableName": "items", "Key": item("a")}}])
    assert read.action == "dynamodb:GetItem"


def test_batches_carry_all_partition_keys_of_each_table() -> None:
    keys = {"Keys": [item("a"), item("b"), item("a")]}
    (access,) = full("dynamodb", "BatchGetItem", RequestItems={"items": keys})
    assert access.context["dynamodb:LeadingKeys"] == ("a", "b")
    requests = [{"PutRequest": {"Item": item("a")}}, {"DeleteRequest": {"Key": item("b")}}]
    (access,) = full("dynamodb", "BatchWriteItem", RequestItems={"items": requests})
    assert (access.action, access.context["dynamodb:LeadingKeys"]) == ("dynamodb:BatchWriteItem", ("a", "b"))


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("pk = :p AND begins_with(sk, :s)", {}),
        ("#p=:p and sk between :s and :t", {"#p": "pk"}),
        ("begins_with(sk, :s) AND (#p = :p)", {"#p": "pk"}),
        ("sk = :s AND pk = :p", {}),
    ],
)
def test_query_carries_the_partition_key_it_asks_for(condition: str, names: dict[str, str]) -> None:
    (access,) = full(
        "dynamodb",
        "Query",
        TableName="items",
        KeyConditionExpression=condition,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":p": {"S": "T#1"}, ":s": {"S": "m"}, ":t": {"S": "n"}},
    )
    assert access.context["dynamodb:LeadingKeys"] == ("T#1",)


def test_query_of_an_index_is_on_the_index_with_its_own_key() -> None:
    (access,) = full(
        "dynamodb",
        "Query",
        TableName="items",
        IndexName="gsi1",
        KeyConditionExpression="gsi1pk = :g",
        ExpressionAttributeValues={":g": {"S": "G"}},
    )
    assert (access.resource, access.context["dynamodb:LeadingKeys"]) == (f"{TABLE}/index/gsi1", ("G",))


def test_scan_has_no_leading_keys() -> None:
    (access,) = full("dynamodb", "Scan", TableName="items")
    assert "dynamodb:LeadingKeys" not in access.context


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("HeadObject", {"Key": "a/b"}, [("s3:GetObject", "arn:aws:s3:::docs/a/b")]),
        ("GetObject", {"Key": "a", "VersionId": "1"}, [("s3:GetObjectVersion", "arn:aws:s3:::docs/a")]),
        ("DeleteObject", {"Key": "a", "VersionId": "1"}, [("s3:DeleteObjectVersion", "arn:aws:s3:::docs/a")]),
        ("ListObjectsV2", {}, [("s3:ListBucket", "arn:aws:s3:::docs")]),
        ("HeadBucket", {}, [("s3:ListBucket", "arn:aws:s3:::docs")]),
        ("UploadPart", {"Key": "a"}, [("s3:PutObject", "arn:aws:s3:::docs/a")]),
        (
            "PutObject",
            {"Key": "a", "Tagging": "k=v"},
            [("s3:PutObject", "arn:aws:s3:::docs/a"), ("s3:PutObjectTagging", "arn:aws:s3:::docs/a")],
        ),
        (
            "CopyObject",
            {"Key": "a", "CopySource": "/other/x%20y"},
            [("s3:GetObject", "arn:aws:s3:::other/x y"), ("s3:PutObject", "arn:aws:s3:::docs/a")],
        ),
        (
            "DeleteObjects",
            {"Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::docs/a"), ("s3:DeleteObject", "arn:aws:s3:::docs/b")],
        ),
    ],
)
def test_s3(operation: str, params: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert classified("s3", operation, Bucket="docs", **params) == expected


def test_listing_carries_its_prefix() -> None:
    (access,) = full("s3", "ListObjectsV2", Bucket="docs", Prefix="in/")
    assert access.context == {"s3:prefix": "in/"}


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("sqs", "SendMessageBatch", {"QueueUrl": "http://h:1/123456789012/q"}, ("sqs:SendMessage", "sqs", "q")),
        ("sqs", "GetQueueUrl", {"QueueName": "q"}, ("sqs:GetQueueUrl", "sqs", "q")),
        ("events", "PutEvents", {"Entries": [{}]}, ("events:PutEvents", "events", "event-bus/default")),
        ("lambda", "Invoke", {"FunctionName": "f"}, ("lambda:InvokeFunction", "lambda", "function:f")),
        ("lambda", "Invoke", {"FunctionName": "f:live"}, ("lambda:InvokeFunction", "lambda", "function:f:live")),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af", "Qualifier": "1"},
            ("lambda:InvokeFunction", "lambda", "function:f:1"),
        ),
        (
            "logs",
            "CreateLogStream",
            {"logGroupName": "/g"},
            ("logs:CreateLogStream", "logs", "log-group:/g:log-stream:"),
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            ("logs:PutLogEvents", "logs", "log-group:/g:log-stream:s"),
        ),
        (
            "logs",
            "DeleteLogStream",
            {"logGroupName": "/g", "logStreamName": "s"},
            ("logs:DeleteLogStream", "logs", "log-group:/g:log-stream:s"),
        ),
        (
            "logs",
            "DescribeLogStreams",
            {"logGroupName": "/g", "logStreamNamePrefix": "s"},
            ("logs:DescribeLogStreams", "logs", "log-group:/g:log-stream:"),
        ),
        ("ssm", "GetParameter", {"Name": "/a/b"}, ("ssm:GetParameter", "ssm", "parameter/a/b")),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "s"},
            ("secretsmanager:GetSecretValue", "secretsmanager", "secret:s-AbCdEf"),
        ),
        ("kms", "Decrypt", {"KeyId": "alias/data"}, ("kms:Decrypt", "kms", "key/k")),
        ("states", "SendTaskSuccess", {"taskToken": "known"}, ("states:SendTaskSuccess", "states", "stateMachine:m")),
        (
            "states",
            "StartExecution",
            {"stateMachineArn": MACHINE},
            ("states:StartExecution", "states", "stateMachine:m"),
        ),
    ],
)
def test_services(service: str, operation: str, params: dict[str, Any], expected: tuple[str, str, str]) -> None:
    action, arn_service, resource = expected
    assert classified(service, operation, **params) == [
        (action, f"arn:aws:{arn_service}:us-east-1:123456789012:{resource}")
    ]


def test_events_are_authorised_one_by_one() -> None:
    entries = [{"Source": "a", "DetailType": "t"}, {"Source": "b", "DetailType": "t", "EventBusName": "bus"}]
    found = full("events", "PutEvents", Entries=entries)
    assert [access.context["events:source"] for access in found] == ["a", "b"]
    assert found[1].resource.endswith(":event-bus/bus")


def test_token_of_an_unknown_machine_needs_the_action_on_any() -> None:
    (access,) = full("states", "SendTaskFailure", taskToken="unknown")
    assert access.any_resource


def test_key_calls_carry_their_encryption_context() -> None:
    (access,) = full("kms", "GenerateDataKey", KeyId="alias/data", EncryptionContext={"tenant": "t"})
    assert access.context["kms:EncryptionContext:tenant"] == "t"


def test_caller_identity_needs_nothing() -> None:
    assert classified("sts", "GetCallerIdentity") == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "ExecuteStatement"),
        ("s3", "PutBucketPolicy"),
        ("sts", "GetFederationToken"),
        ("ec2", "RunInstances"),
    ],
)
def test_unknown_call_is_an_error(service: str, operation: str) -> None:
    with pytest.raises(UnknownCall, match="cannot authorise"):
        full(service, operation, Bucket="docs")
