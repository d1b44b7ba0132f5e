"""Policies have the sizes at which a deployment on AWS fails."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client

pytestmark = pytest.mark.twin

_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def fail(call: Any, **request: Any) -> str:
    """Return the code of a call's error."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def write(length: int, **changed: Any) -> str:
    """Return a policy of so many characters, written with blanks that do not count."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/"} | changed
    document = {"Version": "2012-10-17", "Statement": [statement]}
    missing = length - len(json.dumps(document, separators=(",", ":")))
    statement["Resource"] += "x" * missing
    return json.dumps(document, indent=4)


def make_role(client: Client) -> Any:
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [_TRUST]}))
    return iam


def test_the_inline_policies_of_a_role_have_a_size_together(client: Client) -> None:
    iam = make_role(client)
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=write(6_000))
    assert fail(iam.put_role_policy, RoleName="r", PolicyName="b", PolicyDocument=write(4_241)) == "LimitExceeded"
    iam.put_role_policy(RoleName="r", PolicyName="b", PolicyDocument=write(4_240))
    iam.put_role_policy(RoleName="r", PolicyName="a", PolicyDocument=write(6_000))


def test_a_managed_policy_and_a_trust_policy_have_a_size(client: Client) -> None:
    iam = client("iam")
    assert fail(iam.create_policy, PolicyName="m", PolicyDocument=write(6_145)) == "LimitExceeded"
    arn = iam.create_policy(PolicyName="m", PolicyDocument=write(6_144))["Policy"]["Arn"]
    assert fail(iam.create_policy_version, PolicyArn=arn, PolicyDocument=write(6_145)) == "LimitExceeded"
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=write(6_144, Sid="b"))
    trust = json.dumps({"Statement": [_TRUST] * 60})
    assert fail(iam.create_role, RoleName="t", AssumeRolePolicyDocument=trust) == "LimitExceeded"
    make_role(client)
    assert fail(iam.update_assume_role_policy, RoleName="r", PolicyDocument=trust) == "LimitExceeded"
    iam.update_assume_role_policy(
        RoleName="r", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    )


def test_a_role_has_a_number_of_managed_policies(client: Client) -> None:
    iam = make_role(client)
    made = [
        iam.create_policy(PolicyName=f"m{number}", PolicyDocument=write(200))["Policy"]["Arn"] for number in range(26)
    ]
    for arn in made[:25]:
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    iam.attach_role_policy(RoleName="r", PolicyArn=made[0])
    assert fail(iam.attach_role_policy, RoleName="r", PolicyArn=made[25]) == "LimitExceeded"


def test_the_policy_of_a_function_has_a_size(client: Client) -> None:
    make_role(client)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", "")
    functions = client("lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{ACCOUNT}:role/r",
        Handler="a.h",
        Code={"ZipFile": packed.getvalue()},
    )
    request = {
        "FunctionName": "f",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api/*/GET/{'x' * 1_500}",
    }
    for number in range(11):
        functions.add_permission(StatementId=str(number), **request)
    assert fail(functions.add_permission, StatementId="last", **request) == "PolicyLengthExceededException"
    statements = json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert len(statements) == 11
