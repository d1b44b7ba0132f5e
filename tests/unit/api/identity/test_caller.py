"""What the authorizer found out is what a caller may do, and nothing that a request says of itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.api.identity.caller import ALL_USERS, Caller
from pentad.domain.errors import NotAuthenticated, PolicyDenied

FOUND = {
    "tenant": "acme",
    "key_id": "k-1",
    "user": "ada",
    "scopes": "runs:read runs:write",
    "groups": "clerks",
    "owner": "ops",
}


def read(found: dict[str, Any] | None, **request: Any) -> Caller:
    return Caller.from_event({"requestContext": {"authorizer": {"lambda": found}, **request}})


def test_a_caller_is_as_the_authorizer_found_it() -> None:
    caller = read(FOUND, http={"sourceIp": "192.0.2.1"})
    assert (caller.tenant_id, caller.key_id, caller.user_id) == ("acme", "k-1", "ada")
    assert caller.scopes == frozenset({"runs:read", "runs:write"})
    assert (caller.owner, caller.source_ip) == ("ops", "192.0.2.1")
    assert (caller.is_in("clerks"), caller.is_in("leads")) == (True, False)
    actor = caller.to_actor(datetime(2026, 12, 1, tzinfo=UTC), "clerks")
    assert (actor.user_id, actor.key_id, actor.group, actor.source_ip) == ("ada", "k-1", "clerks", "192.0.2.1")
    assert caller.name == "ada"


def test_what_was_not_found_out_is_nothing() -> None:
    caller = read({"tenant": "acme"})
    assert (caller.key_id, caller.user_id, caller.owner, caller.source_ip) == ("", None, None, None)
    assert caller.scopes == frozenset()
    assert read(FOUND | {"user": None}).name == "key:k-1"


@pytest.mark.parametrize("found", [None, {}, {"tenant": ""}, {"tenant": None, "user": "ada"}])
def test_without_a_tenant_nobody_calls(found: dict[str, Any] | None) -> None:
    with pytest.raises(NotAuthenticated):
        read(found)


@pytest.mark.parametrize(
    ("user", "scopes", "whose", "reached"),
    [
        ("ada", "", "ada", True),
        ("ada", "", "bob", False),
        ("ada", "", None, False),
        (None, "", "bob", True),
        (None, "", None, True),
        ("ada", ALL_USERS, "bob", True),
    ],
)
def test_a_users_credential_reaches_that_users_things_alone(
    user: str | None, scopes: str, whose: str | None, reached: bool
) -> None:
    assert read({"tenant": "acme", "user": user, "scopes": scopes}).may_reach(whose) is reached


def test_a_run_is_its_callers_or_whoever_a_tenants_key_names() -> None:
    ada, tenant = read(FOUND), read(FOUND | {"user": None})
    assert (ada.resolve_user(None), ada.resolve_user("ada"), tenant.resolve_user("bob")) == ("ada", "ada", "bob")
    assert tenant.resolve_user(None) is None
    with pytest.raises(PolicyDenied, match="belongs to another user"):
        ada.resolve_user("bob")


def test_a_scope_is_there_or_refused() -> None:
    read(FOUND).check_scope("runs:read")
    for scope in ("runs:replace", "runs", ""):
        with pytest.raises(PolicyDenied, match="does not have the scope"):
            read(FOUND).check_scope(scope)
