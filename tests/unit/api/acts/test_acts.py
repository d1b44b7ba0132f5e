"""Who did what is in the audit before it is done, with what came of it; and what can't be recorded is not done."""

import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest

from pentad.api.acts.acts import RECORDED
from pentad.api.acts.ports import Act
from pentad.api.acts.subjects import DOCUMENTS, SESSIONS
from pentad.api.routes import ROUTES
from pentad.domain.declarations.agents import AgentSpec, Catalog, HumansSpec, ToolSpec
from pentad.domain.errors import StoreUnavailable
from pentad.domain.ids import undo_token
from pentad.domain.runs import Run
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT, World

CATALOG = Catalog(
    agents={
        "clerk": AgentSpec(
            name="clerk", description="asks", prompt="You ask.", tools=("notes",), humans=HumansSpec(group="clerks")
        )
    },
    tools={
        "notes": ToolSpec(name="notes", description="n", input_schema={}, effects="external", approval="always"),
    },
)
ANN = {"tenant": TENANT, "key_id": "k-ann", "user": "ann", "scopes": "runs:write approvals:write", "groups": "clerks"}


@pytest.fixture
def asked() -> tuple[Client, Run, str]:
    """An API, a run that waits, and its approval."""
    world = World(CATALOG)
    world.model.script = [[("notes", {})]]
    run = world.begin(agent="clerk", session="s1")
    world.turn(run)
    return Client(world), run, world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1").approval_id


def list_acts(client: Client, run: Run) -> list[Act]:
    return client.services.acts.list_for(TENANT, run.run_id)


def test_a_decision_is_in_the_audit_with_user_key_groups_time_and_address(asked: tuple[Client, Run, str]) -> None:
    client, run, name = asked
    body = {"decision": "reject", "reason": "no"}
    assert client("POST", f"/v1/approvals/{name}", body, caller=ANN).status == 200
    begun, ended = list_acts(client, run)
    assert (begun.stage, begun.status, ended.stage, ended.status) == ("asked", None, "ended", 200)
    assert (begun.name, begun.target) == ("decide_approval", f"/v1/approvals/{name}")
    who = begun.actor
    assert (who.user_id, who.key_id, who.person, who.source_ip) == ("ann", "k-ann", "ann", "127.0.0.1")
    assert begun.groups == ("clerks",)
    assert who.at == client.world.clock()
    assert begun.body_hash == hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert "reason" not in begun.model_dump_json()


def test_a_refused_decision_is_in_the_audit_as_refused(asked: tuple[Client, Run, str]) -> None:
    client, run, name = asked
    wrong = {"decision": "approve", "arguments_hash": "0" * 64}
    reply = client("POST", f"/v1/approvals/{name}", wrong, caller=ANN)
    assert reply.status >= 400
    assert [act.status for act in list_acts(client, run)] == [None, reply.status]


def test_what_can_not_be_recorded_is_not_done(asked: tuple[Client, Run, str]) -> None:
    client, _, name = asked

    def fail(_: Act) -> None:
        raise StoreUnavailable("the ledger did not answer")

    client.services.acts.append = fail  # type: ignore[method-assign, assignment]
    assert client("POST", f"/v1/approvals/{name}", {"decision": "reject"}, caller=ANN).status == 503
    assert client.world.approvals.get(TENANT, name).status == "pending"


def test_an_end_that_can_not_be_recorded_is_logged_and_the_answer_stands(asked: tuple[Client, Run, str]) -> None:
    client, run, name = asked
    append = client.services.acts.append

    def fail_at_the_end(act: Act) -> None:
        if act.stage == "ended":
            raise StoreUnavailable("the ledger did not answer")
        append(act)

    client.services.acts.append = fail_at_the_end  # type: ignore[method-assign]
    assert client("POST", f"/v1/approvals/{name}", {"decision": "reject"}, caller=ANN).status == 200
    assert [act.stage for act in list_acts(client, run)] == ["asked"]
    assert "act.end_unrecorded" in {event.name for event in client.world.telemetry.events}


def test_every_act_on_a_run_is_recorded_on_it(asked: tuple[Client, Run, str]) -> None:
    client, run, _ = asked
    requests: list[tuple[str, dict[str, Any]]] = [
        (f"/v1/runs/{run.run_id}/fork", {"at": 0}),
        ("/v1/undo", {"undo_token": undo_token(run.run_id, 1, 0)}),
        (f"/v1/runs/{run.run_id}/cancel", {}),
    ]
    for number, (path, body) in enumerate(requests):
        client("POST", path, body, request_id=f"request-{number}")
    acts = list_acts(client, run)
    assert [act.name for act in acts if act.stage == "asked"] == ["fork_run", "undo", "cancel_run"]
    assert len({act.request_id for act in acts}) == 3
    assert len(acts) == 6


def test_what_names_no_run_and_what_may_not_be_reached_is_refused_without_an_entry(
    asked: tuple[Client, Run, str],
) -> None:
    client, run, name = asked
    bob = ANN | {"user": "bob", "groups": "others"}
    assert client("POST", f"/v1/approvals/{name}", {"decision": "reject"}, caller=bob).status == 404
    assert client("POST", "/v1/approvals/nonsense", {"decision": "reject"}).status == 404
    assert client("POST", "/v1/undo", {"undo_token": "nonsense"}).status == 400
    nobodys = "run_" + "0" * 26
    assert client("POST", f"/v1/runs/{nobodys}/cancel", {}).status == 404
    assert client("POST", f"/v1/runs/{run.run_id}/cancel", {}, tenant_id="other").status == 404
    assert list_acts(client, run) == []
    assert client.services.acts.list_for(TENANT, nobodys) == []
    assert client.services.acts.list_for("other", run.run_id) == []


def test_each_route_that_changes_something_is_recorded_or_records_it_itself() -> None:
    changing = {route.name for route in ROUTES if route.method != "GET"}
    # A run and an upload name who asked for them; OpenAI's requests are on the ledger; what is read anew, or in bulk,
    # is what was uploaded. docs/security.md names all.
    read = {"reingest_document", "start_bulk_ingest"}
    assert changing - RECORDED == {"start_run", "upload_document", "upload_documents", "complete", "embed"} | read


def test_a_deleted_document_is_in_the_audit_of_the_tenants_documents(asked: tuple[Client, Run, str]) -> None:
    client, _, _ = asked
    name = "users/ann/" + "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 200 + ".md"
    who = ANN | {"scopes": "documents:write"}
    assert client("DELETE", f"/v1/documents/{quote(name)}", caller=who).status == 202
    begun, ended = client.services.acts.list_for(TENANT, DOCUMENTS)
    assert (begun.name, begun.target, begun.actor.user_id) == ("delete_document", name, "ann")
    assert (ended.stage, ended.status) == ("ended", 202)
    assert client("DELETE", "/v1/documents/users/bob/a.md", caller=who, request_id="r2").status == 404
    assert client("DELETE", "/v1/documents/..", request_id="r3").status == 404
    assert len(client.services.acts.list_for(TENANT, DOCUMENTS)) == 2


def test_a_deleted_session_is_in_the_audit_of_the_tenants_sessions_and_so_is_one_that_was_busy(
    asked: tuple[Client, Run, str],
) -> None:
    client, run, _ = asked
    assert client("DELETE", f"/v1/sessions/{run.session_id}").status == 409
    assert client("DELETE", "/v1/sessions/nobodys", request_id="r2").status == 404
    client("POST", f"/v1/runs/{run.run_id}/cancel", {}, request_id="r3")
    assert client("DELETE", f"/v1/sessions/{run.session_id}", request_id="r4").status == 200
    acts = client.services.acts.list_for(TENANT, SESSIONS)
    assert [(act.name, act.target, act.status) for act in acts] == [
        ("delete_session", run.session_id, None),
        ("delete_session", run.session_id, 409),
        ("delete_session", run.session_id, None),
        ("delete_session", run.session_id, 200),
    ]


@pytest.mark.parametrize("path", ["/v1/documents/a.md", "/v1/sessions/s1"])
def test_what_can_not_be_recorded_is_not_deleted(asked: tuple[Client, Run, str], path: str) -> None:
    client, _, _ = asked

    def fail(_: Act) -> None:
        raise StoreUnavailable("the ledger did not answer")

    client.services.acts.append = fail  # type: ignore[method-assign, assignment]
    assert client("DELETE", path).status == 503
    assert client.services.bucket.deleted == []
    assert client.services.sessions.get(TENANT, "s1") is not None
