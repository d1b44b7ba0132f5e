"""A front with an empty account, clients for it, and roles with policies."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from twin.front.account import reset_account
from twin.front.front import AwsFront
from twin.iam.model import Credentials

REGION = "us-east-1"
ACCOUNT = "123456789012"

Client = Callable[..., Any]
MakeRole = Callable[..., Credentials]


@pytest.fixture
def front() -> Iterator[AwsFront]:
    reset_account()
    with AwsFront(REGION) as running:
        yield running


@pytest.fixture
def client(front: AwsFront) -> Client:
    """Make a boto3 client, the administrator's unless credentials are given."""

    def make(service: str, credentials: Credentials | None = None) -> Any:
        keys = credentials or front.principals.administrator
        make_client: Any = boto3.client
        return make_client(
            service,
            endpoint_url=front.url,
            region_name=REGION,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token if credentials else None,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
        )

    return make


@pytest.fixture
def role(front: AwsFront, client: Client) -> MakeRole:
    """Make a role with one inline policy and return its credentials."""

    def make(*statements: dict[str, Any], name: str = "worker") -> Credentials:
        iam = client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
        return front.principals.issue(arn, "session")

    return make


def allow(actions: str | list[str], resources: str | list[str], **condition: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition["condition"]} if condition else statement


def make_table(client: Client, name: str = "items") -> str:
    """Make a table with keys pk and sk and an index gsi1, and return its ARN."""
    table = client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in ("pk", "sk", "gsi1pk", "gsi1sk")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi1",
                "KeySchema": [
                    {"AttributeName": "gsi1pk", "KeyType": "HASH"},
                    {"AttributeName": "gsi1sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return str(table["TableDescription"]["TableArn"])
