"""What a graph's model calls cost is its run's, its nodes are in the trace, and it is a step of a workflow too."""

from collections.abc import Iterator
from typing import Any

import pytest

from pentad.domain.tracing import find_root_place
from pentad.observability.spans.conventions import check_span
from tests.twin.conftest import OwnProject
from tests.twin.graphs.span_lines import read_spans, wait_for_trace
from tests.twin.graphs.test_graphs import attempts
from tests.twin.stack.world import Stack, Tenant, word

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

NODES = ["outline", "figures", "write"]


@pytest.fixture
def stack(own: OwnProject) -> Stack:
    return own.stack


@pytest.fixture
def fresh(stack: Stack) -> Iterator[Stack]:
    """The stack, whose script ends with the test."""
    yield stack
    stack.simulator.assert_consumed()
    stack.simulator.reset()


def billed(tenant: Tenant, run_id: str) -> tuple[int, int]:
    """What the ledger says of a run: nano-dollars and tokens."""
    every = tenant.events(run_id, "model_attempt")
    [row] = [row for row in tenant.get("/v1/cost?by=run")["rows"] if row["key"] == run_id]
    cost = sum(one["cost_nanousd"] for one in every)
    assert row["cost_nanousd"] == cost
    return cost, row["tokens"]


def below(spans: list[dict[str, Any]], kind: str, name: str) -> list[dict[str, Any]]:
    """All spans below the one of that kind and name."""
    place = next(place for place, one in enumerate(spans) if (one["kind"], one["name"]) == (kind, name))
    depth, found = spans[place]["depth"], []
    for one in spans[place + 1 :]:
        if one["depth"] <= depth:
            break
        found.append(one)
    return found


def assert_nodes_are_traced(tenant: Tenant, run_id: str) -> None:
    spans = tenant.get(f"/v1/runs/{run_id}/trace")["spans"]
    inside = below(spans, "tool", "briefing")
    nodes = [one for one in inside if one["kind"] == "node"]
    assert [one["name"] for one in nodes] == NODES
    assert [one["attributes"] for one in nodes] == [{"status": "ok", "graph_step": step} for step in (1, 2, 3)]
    # Each node asks one model once, and that hangs below it.
    assert [one["kind"] for one in inside] == ["node", "model"] * 3
    assert {one["attributes"]["purpose"] for one in inside if one["kind"] == "model"} == {"graph"}
    # Inside the call and nowhere else.
    assert len([one for one in spans if one["attributes"].get("purpose") == "graph"]) == len(NODES)


def test_what_a_graph_spends_counts_in_its_run_and_its_nodes_are_in_the_trace(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask(f'Briefing "{word()}"', agent="briefer")
    assert view["status"] == "succeeded", view
    assert len(attempts(tenant, view["run_id"])) == len(NODES)
    assert (view["cost_nanousd"], view["tokens"]) == billed(tenant, view["run_id"])
    assert_nodes_are_traced(tenant, view["run_id"])
    assert_one_trace(stack, tenant, view)


def assert_one_trace(stack: Stack, tenant: Tenant, view: dict[str, Any]) -> None:
    """Every span of the run, over all functions, hangs below its root; each is as the conventions have it."""
    place = find_root_place(tenant.name, view["run_id"])
    spans = wait_for_trace(stack, place.trace_id, "invoke_agent briefer")
    for span in read_spans(stack):
        check_span(span["name"], span["kind"], span["attributes"])
    names = {span["span_id"]: span["name"] for span in spans}
    [root] = [span for span in spans if span["parent_id"] is None]
    assert (root["span_id"], root["name"]) == (place.span_id, "invoke_agent briefer")
    assert all(span["parent_id"] in names for span in spans if span is not root)
    chats = [span for span in spans if span["attributes"].get("gen_ai.operation.name") == "chat"]
    assert sum(span["attributes"]["pentad.cost.nanousd"] for span in chats) == view["cost_nanousd"]
    above = sorted(names[span["parent_id"]] for span in chats)
    assert above == sorted([*(f"graph_node {node}" for node in NODES), "invoke_agent briefer", "invoke_agent briefer"])
    assert {names[span["parent_id"]] for span in spans if span["name"].startswith("graph_node")} == {
        "execute_tool briefing"
    }


def test_a_graph_asks_no_model_past_its_runs_limit_and_the_run_is_stopped(fresh: Stack) -> None:
    tenant = fresh.tenant()
    fresh.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "briefing", "arguments": {"topic": "boats"}}]}},
        {"reply": {"text": "1. How many boats.", "usage": {"input": 500_000, "output": 10}}},
    )
    view = tenant.ask("A briefing on the boats, please.", agent="briefer")
    assert view["status"] == "stopped", view
    assert view["stop_reason"] == "The run was stopped: the run has used its 500,000 tokens."
    assert len(attempts(tenant, view["run_id"])) == 1
    assert (view["cost_nanousd"], view["tokens"]) == billed(tenant, view["run_id"])
    [call] = tenant.events(view["run_id"], "tool_call")
    assert (call["status"], call["error_type"]) == ("failed", "LimitReached")


def test_a_graph_is_a_step_of_a_workflow_beside_another(stack: Stack) -> None:
    tenant, mark = stack.tenant(), word()
    view = tenant.ask(f"The Bells of {mark}", agent="topic-page")
    assert view["status"] == "succeeded", view
    assert view["answer"].startswith(f"/the-bells-of-{mark}\n\n")
    run = view["run_id"]
    assert len(attempts(tenant, run)) == len(NODES)
    assert (view["cost_nanousd"], view["tokens"]) == billed(tenant, run)
    assert_nodes_are_traced(tenant, run)
    [thread] = {item["pk"] for item in tenant.items("graph")}
    assert thread.startswith(f"T#{tenant.name}#G#{run}.")


def test_a_workflow_whose_graph_has_used_its_money_is_stopped(fresh: Stack) -> None:
    tenant = fresh.tenant()
    fresh.simulator.load_script({"reply": {"text": "1. How many boats.", "usage": {"input": 450_000, "output": 10}}})
    view = tenant.ask("boats", agent="topic-page")
    assert view["status"] == "stopped", view
    assert view["stop_reason"] == "The run was stopped: the run has used its $0.50."
    assert len(attempts(tenant, view["run_id"])) == 1
    assert (view["cost_nanousd"], view["tokens"]) == billed(tenant, view["run_id"])


def test_what_a_graph_asks_is_answered_by_a_human_and_it_goes_on_where_it_stopped(fresh: Stack) -> None:
    tenant, question = fresh.tenant(), "Which boat for 7 guests: Petrel or Albatross?"
    fresh.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "charter", "arguments": {"guests": 7}}]}},
        {"reply": {"tool_calls": [{"name": "ask_human", "arguments": {"question": question}}]}},
    )
    waiting = tenant.ask("A boat for seven, please.", agent="harbourmaster")
    assert waiting["status"] == "awaiting_human", waiting
    run = waiting["run_id"]
    thread = f"{run}.00001.00"
    answer = {"guests": 7, "thread": thread, "answer": "Petrel"}
    fresh.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "charter", "arguments": answer}]}},
        {"reply": {"text": "The Petrel is yours."}},
    )
    said = tenant.decide(waiting["pending_approval"], "answer", text="Petrel")
    assert said.status_code == 200, said.text
    view = tenant.settle(run, after=waiting["pending_approval"])
    assert (view["status"], view["answer"]) == ("succeeded", "The Petrel is yours.")
    told = [one["content"] for message in tenant.messages(view["session"]) for one in message["tool_results"]]
    assert question in told[0]
    assert thread in told[0]
    assert told[1:] == ["Petrel", '{"boat": "Petrel"}']
    nodes = [one for one in tenant.get(f"/v1/runs/{run}/trace")["spans"] if one["kind"] == "node"]
    assert [(one["name"], one["attributes"]["status"]) for one in nodes] == [
        ("look", "ok"),
        ("choose", "asked"),
        ("choose", "ok"),
    ]
