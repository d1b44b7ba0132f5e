"""The workflows that the project ships, end to end on the shared twin: its machines, roles, functions and simulator."""

from collections.abc import Iterator
from typing import Any

import pytest

from pentad.models.providers.exchange import SIMULATED
from pentad.orchestration.lifecycle.queue_messages import build_redrive_message
from pentad.orchestration.lifecycle.redrive import redriven_id
from tests.twin.stack.world import Stack, Tenant, until

pytestmark = pytest.mark.twin

CONTRACT = (
    "Service agreement. The supplier must deliver the report by 2026-12-31. "
    "The customer must pay 500 euros within 30 days. The agreement does not say what happens if the report is late."
)


@pytest.fixture(scope="module")
def tenant(shared_twin: dict[str, Any]) -> Iterator[Tenant]:
    with Stack(shared_twin) as stack:
        yield stack.tenant()


def test_a_document_is_reviewed_and_answered_as_the_human_approved_it(tenant: Tenant) -> None:
    waiting = tenant.ask(CONTRACT, agent="document-review")
    assert waiting["status"] == "awaiting_human", waiting
    name = waiting["pending_approval"]
    shown = tenant.get(f"/v1/approvals/{name}")
    assert (shown["kind"], shown["group"]) == ("answer", "reviewers")
    assert "Risk:" in shown["text"]
    answer = tenant.decide(name, "edit", text="Signed: no objections.")
    assert answer.status_code == 200, answer.text
    run = tenant.settle(waiting["run_id"], after=name)
    assert (run["status"], run["answer"]) == ("succeeded", "Signed: no objections."), run
    assert run["cost_nanousd"] > 0
    assert [(call["tool"], call["status"]) for call in tenant.events(run["run_id"], "tool_call")] == [
        ("date_time", "succeeded")
    ]
    assert tenant.lease_is_free(run["session"])


def test_a_rejected_review_stops_the_run_with_the_reason(tenant: Tenant) -> None:
    waiting = tenant.ask(CONTRACT, agent="document-review")
    name = waiting["pending_approval"]
    assert tenant.decide(name, "reject", reason="the dates are wrong").status_code == 200
    run = tenant.settle(waiting["run_id"], after=name)
    assert run["status"] == "stopped", run
    assert run["stop_reason"] == "The run was stopped: the step 'sign_off' was rejected: the dates are wrong."
    assert tenant.lease_is_free(run["session"])


def test_research_joins_what_its_sources_say(tenant: Tenant) -> None:
    tenant.ingest("heron.md", "# Heron\n\nThe Heron pump moves 40 litres of water a minute at 3 bar.\n")
    run = tenant.ask("How many litres a minute does the Heron pump move?", agent="research")
    assert run["status"] == "succeeded", run
    assert "40 litres" in run["answer"]
    assert "heron.md" in run["answer"]
    assert run["notices"] == [SIMULATED]
    children = [one for one in tenant.get("/v1/runs?limit=50")["items"] if one["agent"] == "assistant"]
    assert children


def test_research_goes_on_with_two_of_three_sources(tenant: Tenant) -> None:
    mark = "zebrafinch"
    with tenant.stack.fault(
        f"at most five points. The question: What is a {mark}",
        {"kind": "status", "status": 400},
    ):
        run = tenant.ask(f"What is a {mark}?", agent="research")
    assert run["status"] == "degraded", run
    assert run["notices"][-1] == "The branch 'doubts' failed; the answer was made without it."


def test_research_that_failed_goes_on_with_the_sources_it_has(tenant: Tenant) -> None:
    question = "What is a numbat?"
    with tenant.stack.fault(f"<question>{question}", {"kind": "status", "status": 400}):
        failed = tenant.ask(question, agent="research")
    assert failed["status"] == "failed", failed
    asked = {one["run_id"] for one in tenant.get("/v1/runs?limit=50")["items"]}
    message = build_redrive_message(tenant.name, failed["run_id"])
    tenant.stack.aws("sqs").send_message(QueueUrl=tenant.stack.queue_url("lifecycle"), MessageBody=message)
    again = redriven_id(tenant.name, failed["run_id"])
    until(lambda: tenant.send("GET", f"/v1/runs/{again}").status_code == 200, "the run that goes on")
    run = tenant.settle(again)
    assert (run["status"], run["redrive_of"], run["steps"]) == ("succeeded", failed["run_id"], 1), run
    assert {one["run_id"] for one in tenant.get("/v1/runs?limit=50")["items"]} == {*asked, again}
    assert 0 < run["cost_nanousd"] < failed["cost_nanousd"]


def test_a_question_to_support_is_answered_by_the_agent(tenant: Tenant) -> None:
    run = tenant.ask("Please answer: what is 17 * 3?", agent="support-triage")
    assert run["status"] == "succeeded", run
    assert "51" in run["answer"]


def test_a_complaint_to_support_is_answered_by_a_human(tenant: Tenant) -> None:
    waiting = tenant.ask("This is a complaint: the pump broke and I want my money back.", agent="support-triage")
    assert waiting["status"] == "awaiting_human", waiting
    name = waiting["pending_approval"]
    shown = tenant.get(f"/v1/approvals/{name}")
    assert (shown["kind"], shown["group"]) == ("question", "support")
    answered = tenant.decide(name, "answer", text="We refund the pump.")
    assert answered.status_code == 200, answered.text
    run = tenant.settle(waiting["run_id"], after=name)
    assert (run["status"], run["answer"]) == ("succeeded", "We refund the pump."), run


def test_a_report_is_planned_researched_reviewed_and_written_by_several_agents(tenant: Tenant) -> None:
    tenant.ingest("otter.md", "# Otter\n\nThe Otter turbine weighs 120 kilograms and delivers 9 kilowatts.\n")
    run = tenant.ask("How much does the Otter turbine weigh?", agent="report")
    assert run["status"] == "succeeded", run
    assert "120 kilograms" in run["answer"]
    assert "otter.md" in run["answer"]
    assert run["notices"] == [SIMULATED]
    runs = tenant.get("/v1/runs?limit=50")["items"]
    assert {"editor", "analyst", "reviewer", "assistant", "report"} <= {one["agent"] for one in runs}
    assert run["cost_nanousd"] > sum(one["cost_nanousd"] for one in runs if one["agent"] == "analyst") > 0


def test_a_report_that_does_not_get_good_enough_is_the_best_of_three(tenant: Tenant) -> None:
    run = tenant.ask("Compare quaggas, thylacines and axolotls across Patagonian archipelagos.", agent="report")
    assert run["status"] == "succeeded", run
    assert run["notices"][-1] == "quality used all its rounds below its threshold; the best was kept."
    steps = [one["step"] for one in tenant.events(run["run_id"], "step")]
    assert len(steps) == len(set(steps)) == 11  # four agents, six calls of models, the end


def test_cancelling_a_workflow_cancels_the_agent_that_it_waits_for(tenant: Tenant) -> None:
    answer = tenant.post(
        "/v1/runs",
        {"agent": "support-triage", "message": 'Please answer: save a note titled "Pump" with the text "it leaks".'},
    )
    run = answer.json()["run_id"]

    def waiting() -> dict[str, Any] | None:
        runs = tenant.get("/v1/runs?limit=50")["items"]
        return next((one for one in runs if one["status"] == "awaiting_human" and one["agent"] == "assistant"), None)

    child = until(waiting, "the agent's wait for an approval")
    assert tenant.post(f"/v1/runs/{run}/cancel", {"reason": "not needed"}).status_code == 200
    assert tenant.settle(run)["status"] == "cancelled"
    until(lambda: tenant.get(f"/v1/runs/{child['run_id']}")["status"] == "cancelled", "the end of the agent's run")
    assert tenant.lease_is_free(child["session"])
    [execution] = tenant.stack.executions(run)
    describe = tenant.stack.aws("stepfunctions").describe_execution
    until(lambda: describe(executionArn=execution["executionArn"])["status"] == "ABORTED", "the execution's end")
