"""Policies decide as IAM does: allows, denies, wildcards, conditions, resource policies; the unknown is an error."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.iam.evaluator import Policies, evaluate
from twin.iam.model import (
    ADMINISTRATOR,
    Access,
    ContextValue,
    PolicyError,
    Principal,
    PrincipalKind,
    Reason,
    UnsupportedPolicy,
)
from twin.iam.patterns import match_arn, match_pattern
from twin.iam.policy import parse_policy
from twin.iam.principals import service_principal

ROLE_ARN = "arn:aws:iam::123456789012:role/path/worker"
ROLE = Principal(PrincipalKind.ROLE, "arn:aws:sts::123456789012:assumed-role/worker/s", role_arn=ROLE_ARN)
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/items"
GET = Access("dynamodb:GetItem", TABLE)


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "dynamodb:GetItem", "Resource": TABLE, **elements}


def allowed(
    *statements: Mapping[str, Any],
    access: Access = GET,
    resource_policy: Sequence[Mapping[str, Any]] | None = None,
    principal: Principal = ROLE,
) -> bool:
    return reason(*statements, access=access, resource_policy=resource_policy, principal=principal) is Reason.ALLOWED


def reason(
    *statements: Mapping[str, Any],
    access: Access = GET,
    resource_policy: Sequence[Mapping[str, Any]] | None = None,
    principal: Principal = ROLE,
) -> Reason:
    identity = [parse_policy({"Statement": list(statements)})] if statements else []
    resource = parse_policy({"Statement": resource_policy}) if resource_policy is not None else None
    return evaluate(principal, access, Policies(identity, resource), "us-east-1").reason


def test_nothing_is_allowed_without_a_policy() -> None:
    decision = evaluate(ROLE, GET, Policies(), "us-east-1")
    assert not decision.allowed
    assert decision.message == (
        "User: arn:aws:sts::123456789012:assumed-role/worker/s is not authorized to perform: dynamodb:GetItem"
        f" on resource: {TABLE} because no identity-based policy allows the dynamodb:GetItem action"
    )


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("dynamodb:GetItem", True),
        ("dynamodb:getitem", True),
        ("dynamodb:Get*", True),
        ("dynamodb:?etItem", True),
        ("*", True),
        ("dynamodb:Put*", False),
        ("dynamodb:Get", False),
        (["s3:*", "dynamodb:GetItem"], True),
    ],
)
def test_action_patterns(action: str, expected: bool) -> None:
    assert allowed(statement(Action=action)) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (TABLE, True),
        ("*", True),
        (f"{TABLE}*", True),
        (f"{TABLE}/index/*", False),
        ("arn:aws:dynamodb:*:123456789012:table/items", True),
        ("arn:aws:dynamodb:us-east-1:*:table/it?ms", True),
        ("arn:aws:dynamodb:*", True),
        ("arn:aws:dynamodb", True),
        ("arn:aws:sqs", False),
        (TABLE.upper(), False),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/other", False),
    ],
)
def test_resource_patterns(resource: str, expected: bool) -> None:
    assert allowed(statement(Resource=resource)) is expected


def test_deny_wins_over_allow() -> None:
    assert reason(statement(), statement("Deny", Action="dynamodb:*")) is Reason.EXPLICIT_DENY_IDENTITY


def test_not_action_covers_all_but_those_named() -> None:
    both = {"Effect": "Allow", "Resource": "*"}
    assert not allowed({**both, "NotAction": "dynamodb:*"})
    assert allowed({**both, "NotAction": "s3:*"})


def test_not_resource_covers_all_but_those_named() -> None:
    both = {"Effect": "Allow", "Action": "*"}
    assert not allowed({**both, "NotResource": TABLE})
    assert allowed({**both, "NotResource": "arn:aws:s3:::b"})


def conditioned(block: dict[str, Any], **context: ContextValue) -> bool:
    named = {key.replace("__", ":").replace("_", "-"): value for key, value in context.items()}
    return allowed(statement(Condition=block), access=Access("dynamodb:GetItem", TABLE, named))


LEADING = "dynamodb:LeadingKeys"


@pytest.mark.parametrize(
    ("block", "keys", "expected"),
    [
        ({"ForAllValues:StringLike": {LEADING: ["T#1#*"]}}, ("T#1#a", "T#1#b"), True),
        ({"ForAllValues:StringLike": {LEADING: ["T#1#*"]}}, ("T#1#a", "T#2#b"), False),
        ({"ForAllValues:StringEquals": {LEADING: ["a", "b"]}}, ("b", "a"), True),
        ({"ForAnyValue:StringEquals": {LEADING: "a"}}, ("b", "a"), True),
        ({"ForAnyValue:StringEquals": {LEADING: "a"}}, ("b", "c"), False),
        ({"ForAnyValue:StringNotEquals": {LEADING: "a"}}, ("a", "c"), True),
        ({"ForAllValues:StringNotLike": {LEADING: "a*"}}, ("b", "ab"), False),
        ({"StringLike": {LEADING: "T#*"}}, ("T#1", "X"), False),
    ],
)
def test_sets_of_values(block: dict[str, Any], keys: tuple[str, ...], expected: bool) -> None:
    assert conditioned(block, dynamodb__LeadingKeys=keys) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ArnLike", False),
        ("Bool", False),
    ],
)
def test_absent_key(operator: str, expected: bool) -> None:
    assert conditioned({operator: {"aws:SourceArn": "x"}}) is expected


def test_null_tells_whether_a_key_is_there() -> None:
    assert conditioned({"Null": {LEADING: "true"}})
    assert not conditioned({"Null": {LEADING: "true"}}, dynamodb__LeadingKeys=("a",))
    assert conditioned({"Null": {LEADING: False}}, dynamodb__LeadingKeys=("a",))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}, True),
        ({"StringEquals": {"KMS:viaservice": "sqs.us-east-1.amazonaws.com"}}, True),
        ({"StringLike": {"kms:ViaService": "sqs.*"}}, True),
        ({"StringEquals": {"kms:ViaService": "sqs.*"}}, False),
        ({"StringEqualsIgnoreCase": {"kms:ViaService": "SQS.us-east-1.amazonaws.com"}}, True),
        ({"StringEquals": {"kms:EncryptionContext:table": "items"}}, True),
        ({"StringEquals": {"kms:EncryptionContext:other": "items"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, False),
    ],
)
def test_operators(block: dict[str, Any], expected: bool) -> None:
    assert (
        conditioned(block, kms__ViaService="sqs.us-east-1.amazonaws.com", kms__EncryptionContext__table="items")
        is expected
    )


def test_all_conditions_must_hold() -> None:
    block = {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:RequestedRegion": "mars"}}
    assert not conditioned(block)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Condition": {"StringMatches": {"aws:SourceArn": "x"}}}, "operator 'StringMatches"),
        ({"Condition": {"ForSomeValues:StringEquals": {"aws:SourceArn": "x"}}}, "operator 'ForSomeValues"),
        ({"Condition": {"BinaryEquals": {"aws:SourceArn": "x"}}}, "operator 'BinaryEquals"),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "x"}}}, "key 'aws:PrincipalOrgID"),
        ({"Condition": {"StringEquals": {"aws:SourceArn": "${aws:username}"}}}, r"\$\{aws:username\}"),
        ({"Resource": "arn:aws:s3:::b/${aws:userid}/*"}, r"\$\{aws:userid\}"),
        ({"Action": "dynamodb:${aws:PrincipalTag/team}"}, r"\$\{aws:PrincipalTag/team\}"),
    ],
)
def test_what_is_not_known_is_an_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedPolicy, match=message):
        parse_policy({"Statement": statement(**changes)})


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        {},
        {"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Wish": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"Pope": "*"}}},
    ],
)
def test_malformed_document_is_an_error(document: Any) -> None:
    with pytest.raises(PolicyError):
        parse_policy(document)


def test_resource_policy_that_names_the_role_is_enough() -> None:
    assert allowed(resource_policy=[statement(Principal={"AWS": ROLE_ARN})])
    assert allowed(resource_policy=[statement(Principal="*")])
    assert not allowed(resource_policy=[statement(Principal={"AWS": f"{ROLE_ARN}2"})])


def test_resource_policy_that_names_the_account_leaves_it_to_identity_policies() -> None:
    root = [statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})]
    assert not allowed(resource_policy=root)
    assert allowed(statement(), resource_policy=root)


def test_resource_policy_denies_whom_identity_policies_allow() -> None:
    deny = [statement("Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})]
    assert reason(statement(), resource_policy=deny) is Reason.EXPLICIT_DENY_RESOURCE
    tls = [statement("Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})]
    assert allowed(statement(), resource_policy=tls)


def test_key_policy_must_hand_the_account_to_iam() -> None:
    key = Access("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/1")
    grant = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.resource}
    handed = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "123456789012"}}
    kept = {**handed, "Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}
    assert allowed(grant, access=key, resource_policy=[handed])
    assert not allowed(grant, access=key, resource_policy=[kept])
    assert not allowed(access=key, resource_policy=[handed])


def test_service_acts_by_resource_policy_only() -> None:
    events = service_principal("events.amazonaws.com")
    named = statement(Principal={"Service": "events.amazonaws.com"})
    assert allowed(principal=events, resource_policy=[named])
    assert not allowed(principal=events)
    assert not allowed(principal=service_principal("sns.amazonaws.com"), resource_policy=[named])


def test_administrator_may_do_anything() -> None:
    assert allowed(principal=ADMINISTRATOR)


def test_call_without_a_known_resource_needs_the_action_only() -> None:
    token = Access("dynamodb:GetItem", "?", any_resource=True)
    assert allowed(statement(), access=token)
    assert not allowed(statement(Action="s3:*"), access=token)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_match_as_a_simple_matcher_does(pattern: str, value: str) -> None:
    assert match_pattern(pattern, value) is naive(pattern, value)


def naive(pattern: str, value: str) -> bool:
    if not pattern:
        return not value
    if pattern[0] == "*":
        return naive(pattern[1:], value) or (bool(value) and naive(pattern, value[1:]))
    return bool(value) and pattern[0] in ("?", value[0]) and naive(pattern[1:], value[1:])


def test_wildcard_does_not_reach_over_the_parts_of_an_arn() -> None:
    assert not match_arn("arn:aws:sqs:*:jobs", "arn:aws:sqs:us-east-1:123456789012:jobs")
    assert match_arn("arn:aws:logs:*:*:log-group:/a:*", "arn:aws:logs:r:1:log-group:/a:log-stream:x")


def test_escaped_wildcards_are_literal() -> None:
    assert match_pattern("a${*}b", "a*b") and not match_pattern("a${*}b", "axb")


def tagged(**tags: str) -> Principal:
    return Principal(PrincipalKind.ROLE, ROLE.arn, role_arn=ROLE_ARN, tags=tuple(tags.items()))


@pytest.mark.parametrize(
    ("tenant", "key", "expected"),
    [
        ("acme", "T#acme#NOTE", True),
        ("acme", "T#other#NOTE", False),
        ("*", "T#acme#NOTE", False),
        ("*", "T#*#NOTE", True),
    ],
)
def test_a_tag_of_the_session_stands_for_itself_and_is_no_wildcard(tenant: str, key: str, expected: bool) -> None:
    wanted = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#${aws:PrincipalTag/tenant}#NOTE"]}}
    access = Access("dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": (key,)})
    assert allowed(statement(Condition=wanted), access=access, principal=tagged(tenant=tenant)) is expected


def test_a_variable_of_a_tag_that_the_session_lacks_matches_nothing() -> None:
    wanted = {"StringLike": {"dynamodb:LeadingKeys": ["T#${aws:PrincipalTag/tenant}*", "${aws:PrincipalTag/tenant}"]}}
    access = Access("dynamodb:GetItem", TABLE, {"dynamodb:LeadingKeys": ("T#acme#NOTE",)})
    assert not allowed(statement(Condition=wanted), access=access)
    named = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/tenant}/*"}
    reads = Access("s3:GetObject", "arn:aws:s3:::b/acme/x")
    assert not allowed(statement(**named), access=reads)
    assert allowed(statement(**named), access=reads, principal=tagged(tenant="acme"))
    assert not allowed(statement(**named), access=reads, principal=tagged(tenant="other"))


def test_tags_of_the_session_are_compared() -> None:
    wanted = {"StringEquals": {"aws:PrincipalTag/tool": ["notes", "log"]}}
    assert allowed(statement(Condition=wanted), principal=tagged(tool="log"))
    assert not allowed(statement(Condition=wanted), principal=tagged(tool="calculator"))
    assert not allowed(statement(Condition=wanted))


def in_session(*statements: Mapping[str, Any]) -> Principal:
    return Principal(
        PrincipalKind.ROLE, ROLE.arn, role_arn=ROLE_ARN, session_policy=json.dumps({"Statement": list(statements)})
    )


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ([ALL], Reason.ALLOWED),
        ([{**ALL, "Action": "s3:*"}], Reason.NO_SESSION_ALLOW),
        ([ALL, {**ALL, "Effect": "Deny", "Resource": TABLE}], Reason.EXPLICIT_DENY_SESSION),
    ],
)
def test_a_sessions_policy_narrows_what_the_role_may_do(session: list[dict[str, Any]], expected: Reason) -> None:
    assert reason(statement(), principal=in_session(*session)) is expected


def test_a_sessions_policy_gives_nothing_that_the_role_has_not() -> None:
    assert reason(principal=in_session(ALL)) is Reason.NO_IDENTITY_ALLOW
    denied = statement("Deny")
    assert reason(statement(), denied, principal=in_session(ALL)) is Reason.EXPLICIT_DENY_IDENTITY


@pytest.mark.parametrize(("named", "expected"), [(ROLE.arn, True), (ROLE_ARN, False)])
def test_a_resources_policy_passes_a_sessions_policy_where_it_names_the_session(named: str, expected: bool) -> None:
    by_resource = [statement(Principal={"AWS": named})]
    nothing = in_session({**ALL, "Action": "s3:*"})
    assert allowed(resource_policy=by_resource, principal=nothing) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:01Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2025-12-31T23:59:59Z"}}, True),
        ({"NumericLessThan": {"aws:EpochTime": "1767225600"}}, False),
    ],
)
def test_a_policy_may_ask_for_the_time(condition: dict[str, Any], expected: bool) -> None:
    policy = parse_policy({"Statement": [statement(Condition=condition)]})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert evaluate(ROLE, GET, Policies([policy]), "us-east-1", now=at).allowed is expected
