"""Sessions, approvals, documents, agents and undo through the API."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from pentad.domain.errors import StoreUnavailable, ToolFailed
from pentad.domain.ids import undo_token
from pentad.domain.knowledge import Document, DocumentStatus, Utterance
from pentad.domain.runs import ApprovalStatus, CallStatus, Run
from pentad.memory.documents.ingest import parse_s3_event
from pentad.memory.remember.ports import DeletedSession
from pentad.memory.turns.ports import Owner
from tests.ugly_names import UGLY_NAMES
from tests.unit.api.client import Client
from tests.unit.orchestration.world import START, TENANT, World


def _asked() -> tuple[Client, Run, str]:
    """A run that waits for the approval of a note."""
    world = World()
    world.model.script = [[("calculator", {"x": 1}), ("notes", {"title": "a"})]]
    run = world.begin(session="s1")
    world.turn(run)
    approval = world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")
    return Client(world), run, approval.approval_id


def test_sessions_are_listed_and_read() -> None:
    client, _, _ = _asked()
    [listed] = client("GET", "/v1/sessions").json["items"]
    assert (listed["session"], listed["messages"]) == ("s1", 2)
    assert client("GET", "/v1/sessions/s1").json == listed


@pytest.mark.parametrize("tenant", ["other"])
def test_another_tenants_session_is_not_found(tenant: str) -> None:
    client, _, _ = _asked()
    assert client("GET", "/v1/sessions/s1", tenant_id=tenant).status == 404
    assert client("GET", "/v1/sessions/s1/messages", tenant_id=tenant).status == 404


def test_a_session_that_is_not_well_formed_is_not_there() -> None:
    for path in ("/v1/sessions/..", "/v1/sessions/../messages"):
        for user in ("", "ann"):
            assert Client()("GET", path, user_id=user).status == 404


def test_a_session_is_deleted_once_no_run_holds_it() -> None:
    client, run, _ = _asked()
    busy = client("DELETE", "/v1/sessions/s1")
    assert (busy.status, busy.json["code"], "cancel them" in busy.json["fix"]) == (409, "SessionBusy", True)
    assert client("GET", "/v1/sessions/s1/messages").json["items"] != []
    assert client("POST", f"/v1/runs/{run.run_id}/cancel", {}).status == 200
    deleted = client("DELETE", "/v1/sessions/s1")
    assert (deleted.status, deleted.json) == (200, {"session": "s1", "status": "deleted"})
    for method, path in (("DELETE", ""), ("GET", ""), ("GET", "/messages")):
        assert client(method, f"/v1/sessions/s1{path}").status == 404
    assert client("GET", "/v1/sessions").json["items"] == []
    # What was done in it, and what it cost, stays.
    assert client("GET", f"/v1/runs/{run.run_id}").json["status"] == "cancelled"


def test_what_was_said_in_a_session_that_is_deleted_is_recalled_no_more() -> None:
    world = World()
    run = world.begin(session="s1", user_id="ann")
    client = Client(world)
    said, owner = client.services.said, Owner(TENANT, "ann", "s1")
    for session in ("s1", "s2"):
        one = Utterance(session_id=session, seq=0, speaker="ann", text=f"canary of {session}", at=START)
        said.add(owner, [one], expires_at=START + timedelta(days=400))
    assert client("DELETE", "/v1/sessions/s1").status == 409
    assert len(said.load(owner).words[0].said) == 2
    assert client("POST", f"/v1/runs/{run.run_id}/cancel", {}).status == 200
    assert client("DELETE", "/v1/sessions/s1").status == 200
    assert [one.text for one in said.load(owner).words[0].said] == ["canary of s2"]


@pytest.mark.parametrize("user_id", ["", "ann"])
def test_a_deletion_that_was_cut_off_before_what_was_said_went_is_finished_when_it_is_asked_for_again(
    user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a credential of the tenant, or of the user."""
    world = World()
    run = world.begin(session="s1", user_id="ann")
    client = Client(world)
    said, owner = client.services.said, Owner(TENANT, "ann", "s1")
    one = Utterance(session_id="s1", seq=0, speaker="ann", text="canary", at=START)
    said.add(owner, [one], expires_at=START + timedelta(days=400))
    assert client("POST", f"/v1/runs/{run.run_id}/cancel", {}).status == 200
    remove = client.services.runs.remove_session

    def remove_and_note(tenant_id: str, session_id: str) -> None:
        remove(tenant_id, session_id)
        client.services.progress.note_deleted(DeletedSession(tenant_id, session_id, "ann", START + timedelta(days=30)))

    def fail(*_: Any) -> int:
        raise StoreUnavailable("the table does not answer")

    monkeypatch.setattr(client.services.runs, "remove_session", remove_and_note)
    with monkeypatch.context() as down:
        down.setattr(said, "forget_session", fail)
        assert client("DELETE", "/v1/sessions/s1", user_id=user_id).status == 503
    assert client("GET", "/v1/sessions/s1", user_id=user_id).status == 404
    assert client("DELETE", "/v1/sessions/s1", user_id="bob").status == 404
    assert client("DELETE", "/v1/sessions/s1", tenant_id="other").status == 404
    assert len(said.load(owner).words[0].said) == 1
    assert client("DELETE", "/v1/sessions/s1", user_id=user_id).status == 200
    assert said.load(owner).words == () or not said.load(owner).words[0].said
    assert client("DELETE", "/v1/sessions/s1", user_id=user_id).status == 404


def test_deleting_a_session_takes_the_scope_to_write() -> None:
    client, _, _ = _asked()
    assert client("DELETE", "/v1/sessions/s1", scopes="runs:read").status == 403
    assert client("DELETE", "/v1/sessions/s1", tenant_id="other").status == 404


def test_messages_come_in_order_and_in_pages() -> None:
    client, _, _ = _asked()
    first = client("GET", "/v1/sessions/s1/messages?limit=1").json
    second = client("GET", f"/v1/sessions/s1/messages?limit=1&cursor={first['cursor']}").json
    assert [first["items"][0]["seq"], second["items"][0]["seq"], second["cursor"]] == [0, 1, None]
    assert [call["tool"] for call in second["items"][0]["tool_calls"]] == ["calculator", "notes"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "²", "9" * 5000])
def test_a_cursor_of_messages_is_checked(cursor: str) -> None:
    client, _, _ = _asked()
    assert client("GET", f"/v1/sessions/s1/messages?cursor={cursor}").status == 404


def test_a_pending_approval_shows_exactly_the_arguments() -> None:
    client, run, approval = _asked()
    [listed] = client("GET", "/v1/approvals").json["items"]
    assert (listed["approval"], listed["run_id"]) == (approval, run.run_id)
    assert [(call["tool"], call["arguments"]) for call in listed["calls"]] == [("notes", {"title": "a"})]


def test_no_answer_holds_the_task_token() -> None:
    client, run, approval = _asked()
    paths = ("/v1/approvals", f"/v1/approvals/{approval}", f"/v1/runs/{run.run_id}", f"/v1/runs/{run.run_id}/events")
    assert not any("token-1" in client("GET", path).text for path in paths)


def test_the_waiting_run_names_its_approval() -> None:
    client, run, approval = _asked()
    view = client("GET", f"/v1/runs/{run.run_id}").json
    assert (view["status"], view["pending_approval"]) == ("awaiting_human", approval)


def test_an_approval_wakes_the_run_with_the_calls_to_execute() -> None:
    client, _, approval = _asked()
    reply = client("POST", f"/v1/approvals/{approval}", {"decision": "approve"}, user_id="ann")
    assert (reply.status, reply.json["status"], reply.json["decided_by"]) == (200, "approved", "ann")
    calls = [{"tool": "calculator", "index": 0}, {"tool": "notes", "index": 1}]
    assert client.world.engine.woken == {"token-1": {"kind": "tools", "step": 1, "calls": calls}}


def test_a_decided_approval_is_pending_no_more() -> None:
    client, _, approval = _asked()
    client("POST", f"/v1/approvals/{approval}", {"decision": "approve"})
    assert client("GET", "/v1/approvals").json["items"] == []


def test_another_decision_afterwards_is_a_conflict() -> None:
    client, _, approval = _asked()
    client("POST", f"/v1/approvals/{approval}", {"decision": "approve"})
    reply = client("POST", f"/v1/approvals/{approval}", {"decision": "reject"})
    assert (reply.status, reply.json["code"]) == (409, "InvalidTransition")


def test_a_decision_on_other_arguments_is_refused() -> None:
    client, _, approval = _asked()
    reply = client("POST", f"/v1/approvals/{approval}", {"decision": "approve", "arguments_hash": "0" * 64})
    assert (reply.status, reply.json["field"]) == (400, "arguments_hash")
    assert client.world.approvals.get(TENANT, approval).status is ApprovalStatus.PENDING


def test_a_decision_by_the_shown_hash_is_taken() -> None:
    client, _, approval = _asked()
    shown = client("GET", f"/v1/approvals/{approval}").json["arguments_hash"]
    body = {"decision": "approve", "arguments_hash": shown}
    assert client("POST", f"/v1/approvals/{approval}", body).status == 200


@pytest.mark.parametrize("body", [{}, {"decision": "maybe"}, {"decision": "reject", "reason": "x" * 1001}])
def test_a_decision_is_checked(body: dict[str, Any]) -> None:
    client, _, approval = _asked()
    assert client("POST", f"/v1/approvals/{approval}", body).status == 400


@pytest.mark.parametrize("name", ["apr_x", "apr_" + "0" * 26 + "_00001"])
def test_an_unknown_approval_is_not_found(name: str) -> None:
    assert Client()("GET", f"/v1/approvals/{name}").status == 404


def test_another_tenants_approval_is_not_found() -> None:
    client, _, approval = _asked()
    assert client("POST", f"/v1/approvals/{approval}", {"decision": "approve"}, tenant_id="other").status == 404


def test_a_call_is_undone_by_its_token() -> None:
    client, run, approval = _asked()
    client("POST", f"/v1/approvals/{approval}", {"decision": "approve"})
    token = undo_token(run.run_id, 1, 1)
    call = client.world.runs.get_call(TENANT, run.run_id, 1, 1)
    client.world.runs.save_call(
        call.model_copy(update={"status": CallStatus.SUCCEEDED, "undo": {"id": 1}, "undo_token": token})
    )
    for _ in range(2):
        reply = client("POST", "/v1/undo", {"undo_token": token})
        assert (reply.status, reply.json["status"]) == (200, "undone")
    assert "undo" not in reply.json


def test_an_undo_that_fails_is_told_in_the_answer_the_events_and_the_log_until_one_succeeds() -> None:
    client, run, approval = _asked()
    client("POST", f"/v1/approvals/{approval}", {"decision": "approve"})
    token = undo_token(run.run_id, 1, 1)
    call = client.world.runs.get_call(TENANT, run.run_id, 1, 1)
    client.world.runs.save_call(
        call.model_copy(update={"status": CallStatus.SUCCEEDED, "undo": {"id": 1}, "undo_token": token})
    )
    client.services.tools.failure = ToolFailed("the note is locked", fix="unlock it")
    reply = client("POST", "/v1/undo", {"undo_token": token})
    assert (reply.status, reply.json["code"], reply.json["detail"]) == (502, "ToolFailed", "the note is locked")
    assert (reply.json["fix"], reply.json["field"]) == ("unlock it", "undo_token")
    [failure] = [one for one in client.world.telemetry.events if one.name == "undo.failed"]
    assert (failure.fields["tool"], failure.fields["error"]) == ("notes", "ToolFailed")

    def shown() -> dict[str, Any]:
        events = client("GET", f"/v1/runs/{run.run_id}/events").json["events"]
        [detail] = [one["detail"] for one in events if one["type"] == "tool_call" and one["detail"]["index"] == 1]
        return dict(detail)

    assert shown()["status"] == "succeeded"
    assert shown()["undone_by"] is None
    assert shown()["undo_failure"] | {"at": ""} == {"at": "", "error": "ToolFailed", "detail": "the note is locked"}
    client.services.tools.failure = None
    assert client("POST", "/v1/undo", {"undo_token": token}).status == 200
    assert (shown()["status"], shown()["undo_failure"]) == ("undone", None)


@pytest.mark.parametrize(
    ("token", "status"), [("nonsense", 400), ("undo_" + "0" * 26 + "_00001_00", 404)], ids=["form", "unknown"]
)
def test_an_undo_token_is_checked(token: str, status: int) -> None:
    assert Client()("POST", "/v1/undo", {"undo_token": token}).status == status


def test_a_call_without_an_effect_can_not_be_undone() -> None:
    client, run, _ = _asked()
    assert client("POST", "/v1/undo", {"undo_token": undo_token(run.run_id, 1, 1)}).status == 409


CONTENT = {"bytes": 4, "sha256": "0" * 64}


def test_an_upload_is_addressed_below_the_tenant() -> None:
    reply = Client()("POST", "/v1/documents", {"name": "docs/plan.md", "media_type": "text/markdown", **CONTENT})
    upload = reply.json["upload"]
    assert (reply.status, upload["method"]) == (201, "PUT")
    assert upload["url"].startswith(f"https://bucket/{TENANT}/docs/plan.md?")
    assert upload["headers"] == {"Content-Type": "text/markdown"}
    assert reply.json["expires_at"].startswith((START + timedelta(minutes=5)).isoformat()[:16])


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../b",
        "a/./b",
        ".",
        "..",
        "...",
        "a/ . /b",
        "/a",
        "a/",
        "a//b",
        "",
        " ",
        "\u3000",
        "a\\b",
        "a\nb",
        "x" * 513,
        "a?b",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "\ufeffa",
        "a\u2028b",
        "a\x85b",
        "a\x00b",
        "é" * 500,
        "\U000e0041",
        "\U0001f3f4\U000e0067\U000e007f",
        "\u200e\u200f",
        "\u200d\ufe0f",
        "\u3164.md",
        "\u2800.md",
        "\ufdd0.md",
        "\U0001ffffa",
    ],
)
def test_an_unsafe_name_is_refused(name: str) -> None:
    reply = Client()("POST", "/v1/documents", {"name": name, "media_type": "text/plain", **CONTENT})
    assert (reply.status, reply.json["field"]) == (400, "name")


@pytest.mark.parametrize(
    "name",
    [
        "日本語/資料「最終」.md",
        "отчёт 2026.md",
        "l'été & l'hiver!.md",
        "کتاب\u200cها.txt",  # noqa: RUF001 - Persian
        "नमस्ते.md",
        "👩\u200d🔬.md",
        "東京\u3000駅.md",
        "v1.2.3/a b.md",
        "(1).md",
        "+1/'a'/!b/@c/=d/,e/&f.md",
        "_a-b.md",
        *UGLY_NAMES,
    ],
)
def test_a_name_of_any_script_is_taken_as_it_is(name: str) -> None:
    client = Client()
    reply = client("POST", "/v1/documents", {"name": name, "media_type": "text/plain", **CONTENT})
    assert (reply.status, reply.json["name"], client.services.bucket.terms.key) == (201, name, f"{TENANT}/{name}")
    assert client("DELETE", f"/v1/documents/{quote(name)}").json["name"] == name
    assert client.services.bucket.deleted == [f"{TENANT}/{name}"]


def test_a_name_in_another_form_of_unicode_is_the_same_document() -> None:
    client = Client()
    reply = client("POST", "/v1/documents", {"name": "e\u0301te\u0301.md", "media_type": "text/plain", **CONTENT})
    assert (reply.status, reply.json["name"]) == (201, "été.md")
    assert client("DELETE", "/v1/documents/e\u0301te\u0301.md").json["name"] == "été.md"
    assert client.services.bucket.deleted == [f"{TENANT}/été.md"]


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("application/octet-stream", "application/octet-stream"),
        ("Text/Markdown; charset=UTF-8", "text/markdown; charset=UTF-8"),
        ("text/x-python", "text/x-python"),
        ("application/ld+json", "application/ld+json"),
        ("application/zip", "application/zip"),
        ("video/mp2t", "video/mp2t"),
        ("application/x-javascript", "application/x-javascript"),
        ("binary/octet-stream", "binary/octet-stream"),
        ("application/x-csv", "application/x-csv"),
        ("", "application/octet-stream"),
        (" ", "application/octet-stream"),
    ],
)
def test_a_label_is_a_hint_and_is_signed_as_it_is(given: str, signed: str) -> None:
    client = Client()
    reply = client("POST", "/v1/documents", {"name": "a.csv", "media_type": given, **CONTENT})
    assert (reply.status, client.services.bucket.terms.media_type) == (201, signed)


@pytest.mark.parametrize("media_type", ["text", "text/", "/csv", "text/html\r\nX: y", "text/plain; é", "a b/c"])
def test_what_is_no_media_type_is_refused(media_type: str) -> None:
    reply = Client()("POST", "/v1/documents", {"name": "a.txt", "media_type": media_type, **CONTENT})
    assert (reply.status, reply.json["field"]) == (400, "media_type")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"bytes": 26_214_401}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": "many"}, "bytes"),
        ({"sha256": "0" * 63}, "sha256"),
        ({"sha256": "G" * 64}, "sha256"),
        ({"sha256": None}, "sha256"),
    ],
)
def test_an_upload_says_its_length_and_checksum(fields: dict[str, Any], field: str) -> None:
    body = {"name": "a.txt", "media_type": "text/plain", **CONTENT, **fields}
    reply = Client()("POST", "/v1/documents", body)
    assert (reply.status, reply.json["field"]) == (400, field)


def _indexed(client: Client, status: DocumentStatus = "indexed") -> None:
    document = Document(
        tenant_id=TENANT,
        name="docs/plan.md",
        version="1",
        status=status,
        media_type="text/markdown",
        bytes=10,
        chunks=1,
        embedded=1,
        indexed_at=START,
    )
    client.services.registry.put(document, {"c1": "h1"})


def test_a_document_is_read_anew_by_an_event_of_its_own() -> None:
    client = Client()
    _indexed(client)
    reply = client("POST", "/v1/documents/docs/plan.md")
    assert (reply.status, reply.json) == (202, {"name": "docs/plan.md", "status": "requested"})
    [(kind, detail)] = client.world.events.published
    assert (kind, parse_s3_event(detail).again) == ("pentad.document.requested", True)
    assert (parse_s3_event(detail).tenant_id, parse_s3_event(detail).name) == (TENANT, "docs/plan.md")


def test_a_document_that_is_not_there_is_not_read_anew() -> None:
    client = Client()
    assert client("POST", "/v1/documents/none.md").status == 404
    _indexed(client, "deleted")
    assert client("POST", "/v1/documents/docs/plan.md").status == 404
    assert client.world.events.published == []


def test_documents_are_listed_and_read_with_slashes_in_their_names() -> None:
    client = Client()
    _indexed(client)
    assert [one["name"] for one in client("GET", "/v1/documents").json["items"]] == ["docs/plan.md"]
    for path in ("docs/plan.md", "docs%2Fplan.md"):
        assert client("GET", f"/v1/documents/{path}").json["chunks"] == 1
    # An escape that is there after API Gateway has taken one out is part of a name.
    assert client("GET", "/v1/documents/docs%252Fplan.md").status == 404


def test_another_tenants_document_is_not_found() -> None:
    client = Client()
    _indexed(client)
    assert client("GET", "/v1/documents/docs/plan.md", tenant_id="other").status == 404


def test_a_document_is_removed_from_the_bucket() -> None:
    client = Client()
    reply = client("DELETE", "/v1/documents/docs/plan.md")
    assert (reply.status, client.services.bucket.deleted) == (202, [f"{TENANT}/docs/plan.md"])


def test_a_removal_can_not_leave_the_tenant() -> None:
    client = Client()
    assert client("DELETE", "/v1/documents/../other/x").status == 404
    assert client.services.bucket.deleted == []


def test_agents_are_listed_with_their_tools() -> None:
    items = Client()("GET", "/v1/agents").json["items"]
    assert [(one["name"], [tool["name"] for tool in one["tools"]]) for one in items] == [
        ("assistant", ["calculator", "notes"]),
        ("plain", []),
    ]


def test_cost_is_the_ledgers_sum() -> None:
    world = World()
    world.model.script = ["Hello.", "Hello again."]
    for _ in range(2):
        world.turn(world.begin())
    view = Client(world)("GET", "/v1/cost?by=model&from=2026-11-01&to=2026-11-30").json
    assert [(row["key"], row["attempts"], row["cost_nanousd"]) for row in view["rows"]] == [("model-1", 2, 2000)]
    assert (view["total"]["cost_nanousd"], view["total"]["cost"]) == (2000, "$0.000002")
    assert Client(world)("GET", "/v1/cost", tenant_id="other").json["total"]["attempts"] == 0


@pytest.mark.parametrize("query", ["by=nothing", "from=22.11.2026", "from=20261122", "from=2026-W47-1", "to="])
def test_a_wrong_question_about_cost_is_refused(query: str) -> None:
    assert Client()("GET", f"/v1/cost?{query}").status == 400


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("from=2026-11-23&to=2026-11-22", "2026-11-22", "2026-11-23"),
        ("from=2024-01-01", "2025-10-19", "2026-11-22"),
        ("from=9999-12-31", "9998-11-27", "9999-12-31"),
        ("to=0001-01-01", "0001-01-01", "0001-01-01"),
    ],
)
def test_days_in_any_order_are_read_as_far_back_as_costs_are_kept(query: str, first: str, last: str) -> None:
    view = Client()("GET", f"/v1/cost?{query}")
    assert (view.status, view.json["first"], view.json["last"]) == (200, first, last)
