"""A fork goes on from a turn of a run through the deployed loop, and nothing of the run is done again."""

import json

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, word

pytestmark = pytest.mark.twin

SUM = "What is 17 * 23?"
NOTE = 'Save a note titled "Oil" with the text "Order oil."'


def fork(tenant: Tenant, run_id: str, *, key: str = "", **body: object) -> Json:
    """Fork a run and return the new one once it has ended or waits."""
    headers = {"Idempotency_Key": key} if key else {}
    answer = tenant.post(f"/v1/runs/{run_id}/fork", body, **headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/runs/{answer.json()['run_id']}"
    return tenant.settle(answer.json()["run_id"])


def _stored(tenant: Tenant, run_id: str) -> Json:
    [item] = [one for one in tenant.items("run") if one["pk"].endswith(f"#R#{run_id}")]
    body: Json = json.loads(item["body"])
    return body


def test_a_replaced_result_leads_to_another_answer_and_the_tool_is_not_asked_again(tenant: Tenant) -> None:
    source = tenant.ask(SUM, user="ada")
    assert "391" in source["answer"]
    view = fork(tenant, source["run_id"], at=1, tool_results=[{"call": 0, "content": '{"result": "4711"}'}])
    assert view["status"] == "succeeded"
    assert "4711" in view["answer"]
    assert (view["session"] != source["session"], view["user"], view["steps"]) == (True, "ada", 1)
    assert tenant.events(view["run_id"], "tool_call") == []
    stored = _stored(tenant, view["run_id"])
    assert (stored["forked_from"], stored["first_step"]) == (source["run_id"], 2)
    assert len(stored["overrides"]["replaced"]) == 1


def test_only_its_own_turns_are_billed_to_a_fork(tenant: Tenant) -> None:
    source = tenant.ask(SUM)
    view = fork(tenant, source["run_id"], at=1)
    assert view["answer"] == source["answer"]
    attempts = tenant.events(view["run_id"], "model_attempt")
    assert [one["purpose"] for one in attempts] == ["turn"]
    assert view["cost_nanousd"] == sum(one["cost_nanousd"] for one in attempts) < source["cost_nanousd"]
    assert tenant.transitions(view["run_id"]) == 4


def test_a_fork_at_the_beginning_asks_again_with_the_session_before_it(tenant: Tenant) -> None:
    first = tenant.ask("What is 12 * 12?")
    second = tenant.ask("What did I ask you before?", session=first["session"])
    view = fork(tenant, second["run_id"], at=0)
    assert "12 * 12" in view["answer"]
    assert [one["text"] for one in tenant.messages(view["session"])][-2:] == [
        "What did I ask you before?",
        view["answer"],
    ]


def test_another_prompt_and_model_are_used_from_there(stack: Stack, tenant: Tenant) -> None:
    mark, source = word(), tenant.ask(SUM)
    view = fork(tenant, source["run_id"], at=1, prompt=f"You are brief. {mark}", model="gpt-6-luna")
    assert view["status"] == "succeeded"
    [step] = tenant.events(view["run_id"], "step")
    assert (step["step"], step["provider"], step["model"]) == (2, "openai", "gpt-6-luna")
    # That the prompt went out is seen by a fault for requests that hold its mark.
    with stack.overload(mark, "openai"):
        assert fork(tenant, view["run_id"], at=1)["status"] == "degraded"


def test_a_fork_of_a_waiting_run_waits_for_its_own_approval_and_each_effect_happens_once(tenant: Tenant) -> None:
    source = tenant.ask(NOTE)
    view = fork(tenant, source["run_id"], at=0)
    assert view["status"] == "awaiting_human"
    assert view["pending_approval"] != source["pending_approval"]
    for one in (source, view):
        assert tenant.decide(one["pending_approval"], "approve").status_code == 200
        assert tenant.settle(one["run_id"], after=one["pending_approval"])["status"] == "succeeded"
    assert [note["title"] for note in tenant.notes()] == ["Oil", "Oil"]
    again = fork(tenant, source["run_id"], at=1)
    assert again["status"] == "succeeded"
    assert len(tenant.notes()) == 2
    assert all(tenant.lease_is_free(one["session"]) for one in (source, view, again))


def test_the_same_key_is_the_same_fork(tenant: Tenant) -> None:
    source = tenant.ask(SUM)
    one, two = (fork(tenant, source["run_id"], key="again", at=1) for _ in range(2))
    assert one["run_id"] == two["run_id"]
    other = tenant.post(f"/v1/runs/{source['run_id']}/fork", {"at": 0}, Idempotency_Key="again")
    assert (other.status_code, other.json()["code"]) == (409, "IdempotencyConflict")


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({"at": 2}, "at", 409),
        ({"at": 9}, "at", 404),
        ({"at": -1}, "at", 400),
        ({}, "at", 400),
        ({"at": 1, "model": "no-such-model"}, "model", 400),
        ({"at": 1, "prompt": ""}, "prompt", 400),
        ({"at": 1, "tool_results": [{"call": 3, "content": "x"}]}, "tool_results.0.call", 400),
        ({"at": 1, "wings": 2}, "wings", 400),
    ],
)
def test_what_can_not_be_is_refused_with_the_field(tenant: Tenant, body: Json, field: str, status: int) -> None:
    source = tenant.ask(SUM)
    answer = tenant.post(f"/v1/runs/{source['run_id']}/fork", body)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.text


def test_a_run_of_another_tenant_is_not_there(stack: Stack, tenant: Tenant) -> None:
    source = tenant.ask("Hello")
    other = stack.tenant()
    for answer in (
        other.post(f"/v1/runs/{source['run_id']}/fork", {"at": 0}),
        other.send("GET", f"/v1/runs/{source['run_id']}/recording"),
    ):
        assert answer.status_code == 404
