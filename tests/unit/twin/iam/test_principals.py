"""Keys are issued to roles and traced back to them."""

import pytest

from twin.iam.model import ADMINISTRATOR, UnknownCredentials
from twin.iam.principals import Principals
from twin.iam.sources import policy_holder

ROLE = "arn:aws:iam::123456789012:role/path/worker"


def test_role_is_known_by_its_key_and_token() -> None:
    principals = Principals()
    keys = principals.issue(ROLE, "session")
    principal = principals.authenticate(keys.access_key_id, keys.session_token)
    assert principal.role_arn == ROLE
    assert principal.arn == "arn:aws:sts::123456789012:assumed-role/worker/session"
    assert keys.to_environment()["AWS_SESSION_TOKEN"] == keys.session_token


def test_each_issue_has_its_own_keys() -> None:
    principals = Principals()
    assert principals.issue(ROLE).access_key_id != principals.issue(ROLE).access_key_id


@pytest.mark.parametrize("token", [None, "", "other"])
def test_key_without_its_token_is_unknown(token: str | None) -> None:
    principals = Principals()
    keys = principals.issue(ROLE)
    with pytest.raises(UnknownCredentials):
        principals.authenticate(keys.access_key_id, token)


def test_administrator_is_known_by_key_alone() -> None:
    principals = Principals()
    assert principals.authenticate(principals.administrator.access_key_id) == ADMINISTRATOR


def test_keys_of_another_twin_are_unknown() -> None:
    keys = Principals().issue(ROLE)
    with pytest.raises(UnknownCredentials):
        Principals().authenticate(keys.access_key_id, keys.session_token)


def test_policy_of_an_object_is_its_buckets_and_of_an_alias_its_functions() -> None:
    assert policy_holder("arn:aws:s3:::docs/a/b:c") == "arn:aws:s3:::docs"
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert policy_holder(f"{function}:live") == function
    assert policy_holder("arn:aws:sqs:us-east-1:123456789012:q") == "arn:aws:sqs:us-east-1:123456789012:q"


def test_a_session_ends() -> None:
    clock = [100.0]
    principals = Principals(clock=lambda: clock[0])
    keys, lasting = principals.issue(ROLE, seconds=900), principals.issue(ROLE)
    clock[0] = 999.9
    principals.authenticate(keys.access_key_id, keys.session_token)
    clock[0] = 1_000.0
    with pytest.raises(UnknownCredentials, match="expired"):
        principals.authenticate(keys.access_key_id, keys.session_token)
    principals.authenticate(lasting.access_key_id, lasting.session_token)
