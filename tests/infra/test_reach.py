"""What each role reaches is what a human has reviewed: no role grows without a change of reach.txt."""

from difflib import unified_diff
from pathlib import Path
from typing import Any

from tests.infra.reach import describe

REVIEWED = Path(__file__).with_name("reach.txt")


def test_no_role_reaches_more_or_less_than_what_was_reviewed(templates: dict[str, dict[str, Any]]) -> None:
    found, reviewed = describe(templates), REVIEWED.read_text(encoding="utf-8")
    changes = "\n".join(unified_diff(reviewed.splitlines(), found.splitlines(), "reviewed", "synthesized", lineterm=""))
    assert found == reviewed, f"review what changed, then: python -m tests.infra.reach cdk.out > {REVIEWED}\n{changes}"


def test_a_grant_more_shows_as_a_line_more(templates: dict[str, dict[str, Any]]) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    policy = {"Roles": [{"Ref": "intruder"}], "PolicyDocument": {"Statement": [statement]}}
    resources = {"intruder": role, "p": {"Type": "AWS::IAM::Policy", "Properties": policy}}
    grown = describe(templates | {"other": {"Resources": resources}})
    assert "intruder\n    s3:GetObject\n        arn:aws:s3:::b/*\n" in grown
    assert len(grown.splitlines()) == len(describe(templates).splitlines()) + 4
