"""An agent that replies in one turn, on an Express machine."""

import json
from typing import Any

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, Tenant, until

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

Json = dict[str, Any]
LIVE = "arn:aws:states:us-east-1:123456789012:stateMachine:pentad-dev-reply-porter:live"


@pytest.fixture
def tenant(own: OwnProject) -> Tenant:
    return own.stack.tenant()


def execution(stack: Stack, tenant: Tenant, run_id: str) -> str:
    """Return the execution that a run has noted."""
    [item] = [one for one in tenant.items("run") if one["sk"].endswith(run_id) or one["pk"].endswith(run_id)][:1]
    return str(item["execution_arn"])


def again(stack: Stack, view: Json, tenant: Tenant) -> None:
    """Carry a run out once more, as Step Functions may, and wait until that is over."""
    before = replies(stack)
    reference = {"tenant": tenant.name, "run": view["run_id"], "session": view["session"], "agent": "porter"}
    stack.aws("stepfunctions").start_execution(stateMachineArn=LIVE, name=view["run_id"], input=json.dumps(reference))
    until(lambda: replies(stack) > before, "the second execution's delivery")


def replies(stack: Stack) -> int:
    """Return how often the function that delivers was called."""
    counts = stack.http.get(
        f"{stack.facts['aws_url']}/_twin/counts", headers={"x-twin-key": stack.facts["secret_access_key"]}
    ).json()
    return sum(one["count"] for one in counts if one["operation"] == "Invoke" and "porter" in one["principal"])


def test_a_reply_is_one_turn_on_an_express_execution(own: OwnProject, tenant: Tenant) -> None:
    view = tenant.ask("What is 2 + 2?", agent="porter")
    assert (view["status"], view["steps"]) == ("succeeded", 1)
    assert "4" in view["answer"]
    assert ":express:pentad-dev-reply-porter:" in execution(own.stack, tenant, view["run_id"])
    assert tenant.lease_is_free(view["session"])


def test_replies_are_steps_of_a_workflow(own: OwnProject, tenant: Tenant) -> None:
    view = tenant.ask("What is 3 + 3?", agent="gate")
    assert view["status"] == "succeeded", view["error"]
    assert "4" in view["answer"]
    assert "6" in view["answer"]
    children = [one for one in tenant.get("/v1/runs")["items"] if one["parent"] == view["run_id"]]
    assert [(one["agent"], one["status"]) for one in children] == [("porter", "succeeded")] * 2
    assert all(":express:" in execution(own.stack, tenant, one["run_id"]) for one in children)
    assert view["cost_nanousd"] == sum(one["cost_nanousd"] for one in children)
    assert tenant.lease_is_free(view["session"])


def test_a_reply_goes_on_with_its_session(tenant: Tenant) -> None:
    first = tenant.ask("What is 2 + 2?", agent="porter")
    second = tenant.ask("And 3 + 3?", agent="porter", session=first["session"])
    assert second["status"] == "succeeded"
    assert len(tenant.messages(first["session"])) == 4


def test_the_waterfall_of_a_reply_comes_from_its_records(tenant: Tenant) -> None:
    view = tenant.ask("What is 2 + 2?", agent="porter")
    trace = tenant.get(f"/v1/runs/{view['run_id']}/trace")
    assert [(span["kind"], span["depth"]) for span in trace["spans"]] == [("run", 0), ("state", 1), ("model", 2)]
    assert (trace["transitions"], trace["source"]) == (0, "records")


def test_a_reply_carried_out_twice_is_one_bill_and_one_answer(own: OwnProject, tenant: Tenant) -> None:
    view = tenant.ask("What is 2 + 2?", agent="porter")
    attempts, messages = tenant.events(view["run_id"], "model_attempt"), tenant.messages(view["session"])
    again(own.stack, view, tenant)
    assert tenant.events(view["run_id"], "model_attempt") == attempts
    assert tenant.messages(view["session"]) == messages
    after = tenant.get(f"/v1/runs/{view['run_id']}")
    assert (after["status"], after["answer"], after["cost_nanousd"]) == (
        "succeeded",
        view["answer"],
        view["cost_nanousd"],
    )


def test_a_reply_whose_model_fails_ends_as_failed_and_frees_its_session(own: OwnProject, tenant: Tenant) -> None:
    question = f"What does the porter of {tenant.name} say?"
    fault = {"kind": "status", "status": 401}
    with own.stack.fault(tenant.name, *({**fault, "provider": one} for one in ("anthropic", "openai"))):
        view = tenant.ask(question, agent="porter")
    assert view["status"] in ("failed", "degraded")
    assert tenant.lease_is_free(view["session"])
