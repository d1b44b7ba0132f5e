"""Actions with an effect: shown to a human, done exactly as shown and once, undone on demand; or not done at all."""

import pytest

from tests.twin.stack.world import Json, Tenant

pytestmark = pytest.mark.twin

NOTE = 'Save a note titled "Oil" with the text "Order two barrels of colza oil."'
SHOWN = {"title": "Oil", "text": "Order two barrels of colza oil."}


@pytest.fixture
def waiting(tenant: Tenant) -> Json:
    """A run that waits for a human."""
    view = tenant.ask(NOTE)
    assert view["status"] == "awaiting_human"
    return view


def test_nothing_is_done_before_a_human_decides_and_what_would_be_is_listed(tenant: Tenant, waiting: Json) -> None:
    [listed] = tenant.get("/v1/approvals")["items"]
    assert listed["approval"] == waiting["pending_approval"]
    assert [(call["tool"], call["arguments"]) for call in listed["calls"]] == [("notes", SHOWN)]
    assert tenant.notes() == []


def test_approved_call_runs_as_shown_and_its_token_undoes_it(tenant: Tenant, waiting: Json) -> None:
    approval = waiting["pending_approval"]
    shown = tenant.get(f"/v1/approvals/{approval}")
    assert tenant.decide(approval, "approve", arguments_hash=shown["arguments_hash"]).status_code == 200
    assert tenant.settled(waiting["run_id"], after=approval)["status"] == "succeeded"
    [note] = tenant.notes()
    assert {name: note[name] for name in SHOWN} == SHOWN
    [call] = tenant.events(waiting["run_id"], "tool_call")
    assert call["arguments"] == SHOWN
    undone = tenant.post("/v1/undo", {"undo_token": call["undo_token"]})
    assert (undone.status_code, undone.json()["status"]) == (200, "undone")
    assert tenant.notes() == []
    again = tenant.post("/v1/undo", {"undo_token": call["undo_token"]})
    assert (again.status_code, again.json()["status"]) == (200, "undone")


def test_rejected_call_is_not_run_and_the_model_is_told_why(tenant: Tenant, waiting: Json) -> None:
    approval, reason = waiting["pending_approval"], "we have gas lamps now"
    assert tenant.decide(approval, "reject", reason=reason).status_code == 200
    view = tenant.settled(waiting["run_id"], after=approval)
    assert view["status"] == "succeeded"
    assert tenant.notes() == []
    told = [result for one in tenant.messages(view["session"]) for result in one["tool_results"]]
    assert [(result["is_error"], reason in result["content"]) for result in told] == [(True, True)]
    assert tenant.get("/v1/approvals")["items"] == []


def test_same_decision_again_changes_nothing(tenant: Tenant, waiting: Json) -> None:
    approval = waiting["pending_approval"]
    first = tenant.decide(approval, "approve")
    second = tenant.decide(approval, "approve")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json()["decided_at"] == first.json()["decided_at"]
    assert tenant.settled(waiting["run_id"], after=approval)["status"] == "succeeded"
    assert tenant.decide(approval, "approve").status_code == 200
    assert len(tenant.notes()) == 1


def test_other_decision_afterwards_is_a_conflict(tenant: Tenant, waiting: Json) -> None:
    approval = waiting["pending_approval"]
    assert tenant.decide(approval, "approve").status_code == 200
    other = tenant.decide(approval, "reject")
    assert (other.status_code, other.json()["code"]) == (409, "InvalidTransition")
    assert tenant.settled(waiting["run_id"], after=approval)["status"] == "succeeded"
    assert len(tenant.notes()) == 1


def test_decision_on_other_arguments_than_those_shown_is_refused(tenant: Tenant, waiting: Json) -> None:
    refused = tenant.decide(waiting["pending_approval"], "approve", arguments_hash="0" * 64)
    assert (refused.status_code, refused.json()["field"]) == (400, "arguments_hash")
    assert tenant.get(f"/v1/runs/{waiting['run_id']}")["status"] == "awaiting_human"
    assert tenant.notes() == []
