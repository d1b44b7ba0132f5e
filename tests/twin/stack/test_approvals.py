"""Actions with an effect: shown to a human, done exactly as shown and once, undone on demand; or not done at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.twin.stack.world import ENDED, Json, Stack, Tenant, until

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
    assert tenant.settle(waiting["run_id"], after=approval)["status"] == "succeeded"
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
    view = tenant.settle(waiting["run_id"], after=approval)
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
    assert tenant.settle(waiting["run_id"], after=approval)["status"] == "succeeded"
    assert tenant.decide(approval, "approve").status_code == 200
    assert len(tenant.notes()) == 1


def test_other_decision_afterwards_is_a_conflict(tenant: Tenant, waiting: Json) -> None:
    approval = waiting["pending_approval"]
    assert tenant.decide(approval, "approve").status_code == 200
    other = tenant.decide(approval, "reject")
    assert (other.status_code, other.json()["code"]) == (409, "InvalidTransition")
    assert tenant.settle(waiting["run_id"], after=approval)["status"] == "succeeded"
    assert len(tenant.notes()) == 1


def test_decision_on_other_arguments_than_those_shown_is_refused(tenant: Tenant, waiting: Json) -> None:
    refused = tenant.decide(waiting["pending_approval"], "approve", arguments_hash="0" * 64)
    assert (refused.status_code, refused.json()["field"]) == (400, "arguments_hash")
    assert tenant.get(f"/v1/runs/{waiting['run_id']}")["status"] == "awaiting_human"
    assert tenant.notes() == []


def ended(tenant: Tenant, run_id: str) -> Json:
    return until(lambda: view if (view := tenant.get(f"/v1/runs/{run_id}"))["status"] in ENDED else None, "the end")


def test_decision_whose_task_is_gone_does_nothing_and_the_session_is_free(
    stack: Stack, tenant: Tenant, waiting: Json
) -> None:
    [execution] = stack.executions(waiting["run_id"])
    stack.aws("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    # Stored in time, or too late: whether the run's end was noted before is a race.
    assert tenant.decide(waiting["pending_approval"], "approve").status_code in (200, 409)
    assert ended(tenant, waiting["run_id"])["status"] == "failed"
    assert tenant.decide(waiting["pending_approval"], "reject").status_code == 409
    assert (tenant.notes(), tenant.get("/v1/approvals")["items"]) == ([], [])
    assert tenant.lease_is_free(waiting["session"])


def test_cancel_and_decision_at_once_leave_one_end_and_a_free_session(tenant: Tenant, waiting: Json) -> None:
    cancel, approval = f"/v1/runs/{waiting['run_id']}/cancel", waiting["pending_approval"]
    with ThreadPoolExecutor(2) as pool:
        decided = pool.submit(tenant.decide, approval, "approve")
        cancelled = pool.submit(tenant.post, cancel, {})
        answers = decided.result().status_code, cancelled.result().status_code
    view = ended(tenant, waiting["run_id"])
    assert (view["status"], answers) in [
        ("cancelled", (200, 200)),
        ("cancelled", (409, 200)),
        ("succeeded", (200, 409)),
    ]
    assert len(tenant.notes()) <= (1 if answers[0] == 200 else 0)
    assert tenant.get("/v1/approvals")["items"] == []
    assert tenant.lease_is_free(waiting["session"])
