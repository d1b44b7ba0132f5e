"""Roles are assumed as their trust policies and the caller's own policies allow."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, Client, MakeRole, allow, make_table
from twin.iam.model import Credentials

pytestmark = pytest.mark.twin
TARGET = f"arn:aws:iam::{ACCOUNT}:role/target"


def make_target(client: Client, trusted: str, *statements: dict[str, Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
    iam = client("iam")
    iam.create_role(RoleName="target", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_role_policy(RoleName="target", PolicyName="inline", PolicyDocument=json.dumps(document))


def assume(client: Client, credentials: Credentials) -> Credentials:
    got = client("sts", credentials).assume_role(RoleArn=TARGET, RoleSessionName="visit")["Credentials"]
    return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


def test_assumed_role_acts_with_its_own_policies(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    caller = role(allow("sts:AssumeRole", TARGET))
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/worker", allow("dynamodb:Scan", table))
    visitor = assume(client, caller)
    client("dynamodb", visitor).scan(TableName="items")
    assert client("sts", visitor).get_caller_identity()["Arn"] == (f"arn:aws:sts::{ACCOUNT}:assumed-role/target/visit")
    with pytest.raises(ClientError, match="assumed-role/target/visit is not authorized"):
        client("dynamodb", visitor).put_item(TableName="items", Item={"pk": {"S": "a"}, "sk": {"S": "a"}})


def test_role_that_does_not_trust_the_caller_is_refused(client: Client, role: MakeRole) -> None:
    caller = role(allow("sts:AssumeRole", TARGET))
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/other", allow("dynamodb:Scan", "*"))
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        assume(client, caller)


def test_caller_without_the_permission_is_refused(client: Client, role: MakeRole) -> None:
    caller = role(allow("dynamodb:Scan", "*"))
    make_target(client, f"arn:aws:iam::{ACCOUNT}:root", allow("dynamodb:Scan", "*"))
    with pytest.raises(ClientError, match="no identity-based policy allows the sts:AssumeRole action"):
        assume(client, caller)
