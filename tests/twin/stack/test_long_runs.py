"""A run that outgrows an execution's history goes on in another one, and nobody who looks at the run sees it."""

import pytest

from tests.twin.stack.own_project import EVENT_LIMIT
from tests.twin.stack.world import Json, Stack, Tenant, until

# Scripts are the whole twin's; and in this project a history is full early.
pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

TURNS = 19


@pytest.fixture
def stack(scripted: Stack) -> Stack:
    return scripted


def counting(turns: int) -> list[Json]:
    """A script of one call each turn, and an answer."""
    calls = [
        {"reply": {"tool_calls": [{"name": "word_count", "arguments": {"text": f"w{turn}"}}]}} for turn in range(turns)
    ]
    return [*calls, {"reply": {"text": "All counted."}}]


def parts(stack: Stack, run_id: str) -> list[Json]:
    """Return all executions of a run."""
    machine = next(
        one["stateMachineArn"]
        for one in stack.aws("stepfunctions").list_state_machines()["stateMachines"]
        if one["name"] == "pentad-dev-agent-greeter"
    )
    pages = stack.aws("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    return [one for page in pages for one in page["executions"] if one["name"].startswith(run_id)]


def started(tenant: Tenant) -> str:
    answer = tenant.post("/v1/runs", {"agent": "greeter", "message": "Count.", "session": "daily"})
    assert answer.status_code == 202
    return str(answer.json()["run_id"])


def test_long_run_goes_on_in_other_executions_and_is_one_run(stack: Stack) -> None:
    tenant = stack.tenant()
    stack.simulator.load_script(*counting(TURNS))
    run = started(tenant)
    view = tenant.settle(run)
    assert (view["status"], view["answer"], view["steps"]) == ("succeeded", "All counted.", TURNS + 1), view
    stack.simulator.assert_consumed()
    found = until(lambda: ended if (ended := _ended(stack, run)) else None, "the end of the executions")
    assert len(found) >= 3
    assert {one["status"] for one in found} == {"SUCCEEDED"}
    for one in found:
        events = stack.aws("stepfunctions").get_execution_history(executionArn=one["executionArn"], maxResults=1000)
        assert len(events["events"]) < EVENT_LIMIT + 60
    trace = tenant.get(f"/v1/runs/{run}/trace")
    thinks = {span["attributes"]["step"] for span in trace["spans"] if span["name"] == "Think"}
    assert thinks == set(range(1, TURNS + 2))
    calls = tenant.events(run, "tool_call")
    assert [call["status"] for call in calls] == ["succeeded"] * TURNS
    assert tenant.lease_is_free("daily")


def _ended(stack: Stack, run_id: str) -> list[Json]:
    found = parts(stack, run_id)
    return found if all(one["status"] != "RUNNING" for one in found) else []


def test_long_run_is_cancelled_in_whichever_execution_it_is(stack: Stack) -> None:
    tenant = stack.tenant()
    stack.simulator.load_script(*counting(TURNS))
    run = started(tenant)
    until(lambda: len(parts(stack, run)) > 1, "the second execution")
    answer = tenant.post(f"/v1/runs/{run}/cancel", {})
    assert answer.status_code in (200, 202), answer.text
    assert tenant.settle(run)["status"] == "cancelled"
    until(lambda: _ended(stack, run), "the end of the executions")
    assert tenant.lease_is_free("daily")
