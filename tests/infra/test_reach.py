"""What each role reaches is what a human has reviewed: no role grows without a change of reach.txt."""

import re
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tests.infra.reach import describe

THREATS = Path(__file__).parents[2] / "docs" / "threat-model.md"
STORES = ("state", "ledger", "transient", "payload", "documents")
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


def find_reached(text: str) -> dict[str, set[str]]:
    """Return which stores each function of a description reaches without being bound to one tenant."""
    found: dict[str, set[str]] = {}
    for block in text.split("\n\n"):
        named = re.search(r"log-group:/aws/lambda/pentad-dev-([a-z_-]+):\*", block)
        if named is None:
            continue
        statements = re.split(r"\n {4}(?=\S)", block)
        for store in STORES:
            reaching = [one for one in statements if f"\n        <{store}>" in one and "kms:" not in one]
            if any("LeadingKeys" not in one or "T#*" in one for one in reaching):
                found.setdefault(named[1], set()).add(store)
    return found


def test_each_function_that_reaches_every_tenant_has_its_reason(templates: dict[str, dict[str, Any]]) -> None:
    _, _, section = THREATS.read_text(encoding="utf-8").partition("### Functions that serve all tenants")
    rows = re.findall(r"^\| `([a-z_-]+)` \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    written = {name: set(re.findall(r"`([a-z]+)`", reached)) for name, reached, _ in rows}
    assert written == find_reached(describe(templates))
    assert all(len(reason.split()) > 5 for _, _, reason in rows)


def test_a_function_without_a_reason_is_seen() -> None:
    role = (
        "newrole\n"
        "    dynamodb:GetItem\n        <state>\n        if ForAllValues:StringLike dynamodb:LeadingKeys = T#*#R#*\n"
        "    dynamodb:GetItem\n        <transient>\n        if ForAllValues:StringLike dynamodb:LeadingKeys = SYS#X\n"
        "    s3:GetObject\n        <payload>/*\n"
        "    logs:PutLogEvents\n        arn:log-group:/aws/lambda/pentad-dev-new:*\n"
    )
    assert find_reached(role) == {"new": {"state", "payload"}}


def test_what_tools_and_graphs_keep_is_read_by_no_function_of_the_stack(
    templates: dict[str, dict[str, Any]],
) -> None:
    described = re.findall(r"^    (.*)\n        (<payload>/.*)$", describe(templates), re.MULTILINE)
    allowed = {place for actions, place in described if "not " not in actions}
    denied = [place for actions, place in described if actions == "not s3:GetObject, not s3:PutObject"]
    assert allowed == {"<payload>/*", "<payload>/*/runs/*", "<payload>/spill/*"}
    # A tool may call a folder `runs`, which the pattern of runs' contents fits.
    runs = [place for _, place in described if place == "<payload>/*/runs/*"]
    assert sorted(denied) == sorted(["<payload>/files/*", "<payload>/graphs/*"] * len(runs))
    everything = [block for block in describe(templates).split("\n\n") if "        <payload>/*\n" in block]
    assert [block.split("\n")[0] for block in everything] == ["erasingeraserole"]
