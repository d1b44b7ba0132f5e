"""Roles are assumed as their trust policies and the caller's own policies allow."""

import json
from datetime import UTC, datetime, timedelta
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


def trust_with(client: Client, *actions: str, condition: dict[str, Any] | None = None) -> None:
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/worker"},
        "Action": list(actions),
    }
    if condition is not None:
        trust["Condition"] = condition
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    client("iam").update_assume_role_policy(RoleName="target", PolicyDocument=document)


def assume_for(client: Client, credentials: Credentials, tenant: str) -> Credentials:
    tags = [{"Key": "tenant", "Value": tenant}]
    sts = client("sts", credentials)
    got = sts.assume_role(RoleArn=TARGET, RoleSessionName="visit", Tags=tags)["Credentials"]
    return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


def test_tags_of_the_session_narrow_what_the_role_may_do(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    caller = role(allow(["sts:AssumeRole", "sts:TagSession"], TARGET))
    keys = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#${aws:PrincipalTag/tenant}#*"]}}
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/other", allow("dynamodb:PutItem", table, condition=keys))
    trust_with(client, "sts:AssumeRole", "sts:TagSession")
    visitor = client("dynamodb", assume_for(client, caller, "acme"))
    visitor.put_item(TableName="items", Item={"pk": {"S": "T#acme#NOTE"}, "sk": {"S": "a"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        visitor.put_item(TableName="items", Item={"pk": {"S": "T#other#NOTE"}, "sk": {"S": "a"}})


def test_who_passes_tags_needs_the_right_to_on_both_sides(client: Client, role: MakeRole) -> None:
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/other", allow("dynamodb:Scan", "*"))
    both = role(allow(["sts:AssumeRole", "sts:TagSession"], TARGET))
    trust_with(client, "sts:AssumeRole")
    with pytest.raises(ClientError, match="not authorized to perform: sts:TagSession"):
        assume_for(client, both, "acme")
    trust_with(
        client, "sts:AssumeRole", "sts:TagSession", condition={"StringEquals": {"aws:RequestTag/tenant": "acme"}}
    )
    assume_for(client, both, "acme")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        assume_for(client, both, "other")
    untagged = role(allow("sts:AssumeRole", TARGET), name="lesser")
    with pytest.raises(ClientError, match="no identity-based policy allows the sts:TagSession action"):
        assume_for(client, untagged, "acme")


def allow_until(moment: datetime) -> str:
    ends = {"DateLessThan": {"aws:CurrentTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow("*", "*", condition=ends)]})


def test_a_policy_of_the_session_ends_it_before_its_time(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    caller = role(allow("sts:AssumeRole", TARGET))
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/worker", allow("dynamodb:Scan", table))
    sts, now = client("sts", caller), datetime.now(UTC)

    def visit(policy: str) -> Any:
        got = sts.assume_role(RoleArn=TARGET, RoleSessionName="visit", DurationSeconds=900, Policy=policy)
        keys = got["Credentials"]
        return client("dynamodb", Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]))

    visit(allow_until(now + timedelta(minutes=5))).scan(TableName="items")
    with pytest.raises(ClientError, match="no session policy allows the dynamodb:Scan action"):
        visit(allow_until(now - timedelta(seconds=1))).scan(TableName="items")
    with pytest.raises(ClientError, match="no identity-based policy allows the dynamodb:PutItem action"):
        item = {"pk": {"S": "a"}, "sk": {"S": "a"}}
        visit(allow_until(now + timedelta(minutes=5))).put_item(TableName="items", Item=item)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"DurationSeconds": 60_000}, "ValidationError"),
        ({"Policy": "{}"}, "MalformedPolicyDocument"),
        ({"Policy": json.dumps({"Statement": [allow("s3:" + "x" * 3000, "*")]})}, "ValidationError"),
    ],
)
def test_what_sts_does_not_take_is_refused(client: Client, role: MakeRole, asked: dict[str, Any], code: str) -> None:
    caller = role(allow("sts:AssumeRole", TARGET))
    make_target(client, f"arn:aws:iam::{ACCOUNT}:role/worker", allow("dynamodb:Scan", "*"))
    with pytest.raises(ClientError, match=code):
        client("sts", caller).assume_role(RoleArn=TARGET, RoleSessionName="visit", **asked)
