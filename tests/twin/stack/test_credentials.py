"""No route is open, a key opens what its scopes say, and what is another tenant's does not exist."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from pentad.api.identity.caller import SCOPES
from pentad.api.identity.keys import create_key, revoke_key
from pentad.api.routes import ROUTES, RouteSpec
from tests.twin.stack.world import Stack, Tenant

pytestmark = pytest.mark.twin

_IDS = {"run": "run_" + "0" * 26, "session": "s1", "approval": "apr_" + "0" * 26 + "_00001", "document": "a/b.md"}


def path_of(route: RouteSpec) -> str:
    return re.sub(r"<(\w+)>", lambda found: _IDS.get(found[1], "x"), route.path)


def route_name(route: RouteSpec) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=route_name)
def test_route_is_closed_without_a_key(stack: Stack, route: RouteSpec) -> None:
    response = stack.http.request(route.method, path_of(route), json={} if route.method == "POST" else None)
    assert response.status_code == 401


def test_path_that_is_no_route_is_closed_as_well(stack: Stack) -> None:
    assert stack.http.get("/v1/secrets").status_code in (401, 404)
    assert stack.http.get("/").status_code in (401, 404)


def test_key_of_a_wrong_secret_is_refused(tenant: Tenant) -> None:
    tenant.token = tenant.token[:-1] + ("A" if tenant.token[-1] != "A" else "B")
    assert tenant.send("GET", "/v1/runs").status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "ptd.t.k.s", "ptd.nobody.abcdefabcdef." + "x" * 43, "a.b.c"])
def test_token_that_is_no_key_is_refused(stack: Stack, token: str) -> None:
    assert stack.http.get("/v1/runs", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_key_of_one_tenant_does_not_open_another_by_its_name(stack: Stack, tenant: Tenant) -> None:
    victim = stack.tenant()
    tenant.token = tenant.token.replace(tenant.name, victim.name)
    assert tenant.send("GET", "/v1/runs").status_code == 401


def test_expired_key_is_refused(stack: Stack) -> None:
    late = stack.tenant(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert late.send("GET", "/v1/runs").status_code == 401


def test_revoked_key_is_refused(stack: Stack, tenant: Tenant) -> None:
    key, token = create_key(stack.keys, tenant.name, now=datetime.now(UTC), scopes=SCOPES)
    revoke_key(stack.keys, tenant.name, key.key_id, now=datetime.now(UTC))
    tenant.token = token
    assert tenant.send("GET", "/v1/runs").status_code == 401


@pytest.mark.parametrize("scope", sorted({route.scope for route in ROUTES}))
def test_route_without_its_scope_is_forbidden(stack: Stack, scope: str) -> None:
    others = sorted({route.scope for route in ROUTES} - {scope})
    limited = stack.tenant(scopes=others)
    route = next(route for route in ROUTES if route.scope == scope)
    response = limited.send(route.method, path_of(route), json={} if route.method == "POST" else None)
    assert response.status_code == 403
    if scope == "models:invoke":  # speaks the dialect of its clients, errors too
        assert response.json()["error"]
        return
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["code"], problem["status"]) == ("PolicyDenied", 403)
    assert scope in problem["detail"] + problem.get("fix", "")


def test_what_belongs_to_another_tenant_does_not_exist(stack: Stack, tenant: Tenant) -> None:
    view = tenant.ask('Save a note titled "Mine" with the text "Nobody else may see this."')
    tenant.ingest("mine.md", "# Mine\n\nNobody else may read this.\n")
    stranger = stack.tenant()
    run, approval = f"/v1/runs/{view['run_id']}", f"/v1/approvals/{view['pending_approval']}"
    session = f"/v1/sessions/{view['session']}"
    for path in (
        run,
        f"{run}/events",
        f"{run}/trace",
        session,
        f"{session}/messages",
        approval,
        "/v1/documents/mine.md",
    ):
        assert tenant.send("GET", path).status_code == 200, path
        response = stranger.send("GET", path)
        assert (response.status_code, response.json()["code"]) == (404, "NotFound"), path
    assert stranger.decide(view["pending_approval"], "approve").status_code == 404
    for path in ("/v1/runs", "/v1/sessions", "/v1/approvals", "/v1/documents"):
        assert stranger.get(path)["items"] == [], path
    assert tenant.get(run)["status"] == "awaiting_human"


def test_undo_token_of_another_tenant_does_not_exist(stack: Stack, tenant: Tenant) -> None:
    view = tenant.ask('Save a note titled "Mine" with the text "Keep this."')
    tenant.decide(view["pending_approval"], "approve")
    tenant.settle(view["run_id"], after=view["pending_approval"])
    [call] = tenant.events(view["run_id"], "tool_call")
    assert stack.tenant().post("/v1/undo", {"undo_token": call["undo_token"]}).status_code == 404
    assert len(tenant.notes()) == 1


def test_session_of_the_same_name_is_another_one_for_another_tenant(stack: Stack, tenant: Tenant) -> None:
    tenant.ask("What is 12 * 12?", session="daily")
    stranger = stack.tenant()
    assert "12 * 12" not in stranger.ask("What did I ask you before?", session="daily")["answer"]
    assert len(stranger.messages("daily")) == 2


def test_the_cursor_of_one_users_key_tells_nothing_and_leads_on(stack: Stack, tenant: Tenant) -> None:
    for user in ("ann", "bob", "ann"):
        tenant.ask("What is 21 + 21?", user=user)
    keys = {}
    for user in ("ann", "bob"):
        _, keys[user] = create_key(
            stack.keys, tenant.name, now=datetime.now(UTC), scopes=["runs:read"], user_id=user, owner=user
        )
    tenant.token = keys["ann"]
    first = tenant.get("/v1/runs?limit=1")
    cursor = str(first["cursor"])
    assert b"T#" not in base64.urlsafe_b64decode(cursor)
    second = tenant.get(f"/v1/runs?limit=5&cursor={cursor}")
    assert {run["user"] for run in (*first["items"], *second["items"])} == {"ann"}
    assert (len(first["items"]), len(second["items"]), second["cursor"]) == (1, 1, None)
    tenant.token = keys["bob"]
    assert tenant.send("GET", f"/v1/runs?cursor={cursor}").status_code == 404
