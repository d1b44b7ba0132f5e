"""A resource encrypted with a customer's key asks its callers for the right to use that key."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client, MakeRole, allow

pytestmark = pytest.mark.twin
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"


@pytest.fixture
def key(client: Client) -> str:
    return str(client("kms").create_key()["KeyMetadata"]["Arn"])


def test_sender_to_an_encrypted_queue_needs_its_key(client: Client, role: MakeRole, key: str) -> None:
    url = client("sqs").create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    send = allow("sqs:SendMessage", QUEUE)
    without = client("sqs", role(send, name="without"))
    with_key = client("sqs", role(send, allow(["kms:Decrypt", "kms:GenerateDataKey"], key), name="with"))
    with_key.send_message(QueueUrl=url, MessageBody="x")
    with pytest.raises(ClientError, match=f"kms:GenerateDataKey on resource: {key}"):
        without.send_message(QueueUrl=url, MessageBody="x")


def test_reader_of_an_encrypted_bucket_needs_its_key(client: Client, role: MakeRole, key: str) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket="docs", ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket="docs", Key="a", Body=b"x")
    read = allow("s3:GetObject", "arn:aws:s3:::docs/*")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        client("s3", role(read, name="without")).get_object(Bucket="docs", Key="a")
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    reader = client("s3", role(read, allow("kms:Decrypt", key, condition=via), name="with"))
    assert reader.get_object(Bucket="docs", Key="a")["Body"].read() == b"x"


def test_user_of_an_encrypted_table_needs_its_key(client: Client, role: MakeRole, key: str) -> None:
    item = {"pk": {"S": "a"}}
    table = create_table(client, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    without = client("dynamodb", role(allow("dynamodb:PutItem", table), name="without"))
    with_key = client("dynamodb", role(allow("dynamodb:PutItem", table), allow("kms:Decrypt", key), name="with"))
    with_key.put_item(TableName="locked", Item=item)
    with pytest.raises(ClientError, match="kms:Decrypt"):
        without.put_item(TableName="locked", Item=item)


@pytest.mark.parametrize(("table_name", "reached"), [("locked", True), ("other", False)])
def test_key_is_used_with_the_tables_name_as_encryption_context(
    client: Client, role: MakeRole, key: str, table_name: str, reached: bool
) -> None:
    table = create_table(client, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    bound = {"StringEquals": {"kms:EncryptionContext:aws:dynamodb:tableName": table_name}}
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table), allow("kms:Decrypt", key, condition=bound)))
    if reached:
        worker.put_item(TableName="locked", Item={"pk": {"S": "a"}})
        return
    with pytest.raises(ClientError, match="kms:Decrypt"):
        worker.put_item(TableName="locked", Item={"pk": {"S": "a"}})


@pytest.mark.parametrize("name_of_object", ["a", "10:30/b:c.md"])
@pytest.mark.parametrize("bucket_key", [True, False])
def test_key_of_a_bucket_is_used_for_the_bucket_or_for_the_object(
    client: Client, role: MakeRole, key: str, bucket_key: bool, name_of_object: str
) -> None:
    bound_to = "arn:aws:s3:::docs" if bucket_key else f"arn:aws:s3:::docs/{name_of_object}"
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    rules = {"Rules": [rule | {"BucketKeyEnabled": bucket_key}]}
    s3.put_bucket_encryption(Bucket="docs", ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket="docs", Key=name_of_object, Body=b"x")
    read = allow("s3:GetObject", "arn:aws:s3:::docs/*")
    for name, arn, reached in (("right", bound_to, True), ("wrong", "arn:aws:s3:::other", False)):
        bound = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": arn}}
        reader = client("s3", role(read, allow("kms:Decrypt", key, condition=bound), name=name))
        if reached:
            assert reader.get_object(Bucket="docs", Key=name_of_object)["Body"].read() == b"x"
            continue
        with pytest.raises(ClientError, match="kms:Decrypt"):
            reader.get_object(Bucket="docs", Key=name_of_object)


def test_table_with_a_key_of_aws_asks_for_none(client: Client, role: MakeRole) -> None:
    table = create_table(client, SSESpecification={"Enabled": True})
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table)))
    worker.put_item(TableName="locked", Item={"pk": {"S": "a"}})


def create_table(client: Client, **more: Any) -> str:
    table = client("dynamodb").create_table(
        TableName="locked",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        **more,
    )
    return str(table["TableDescription"]["TableArn"])
