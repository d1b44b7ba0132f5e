"""A graph and a LangChain tool under the gateway, the budgets, the audit log and the trace of everything else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, Tenant, until, word

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

TOPIC = "17.5 * (3 + 4) boats"


@pytest.fixture
def stack(own: OwnProject) -> Stack:
    return own.stack


@pytest.fixture
def scripted(stack: Stack) -> Iterator[None]:
    """The models' words for one run: the agent calls the graph, whose second step calls the calculator."""
    stack.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "briefing", "arguments": {"topic": TOPIC}}]}},
        {"reply": {"text": "1. How many boats."}},
        {"reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "17.5 * (3 + 4)"}}]}},
        {"reply": {"text": "There are 122.5 boats."}},
        {"reply": {"text": "The briefing: there are 122.5 boats."}},
    )
    yield
    stack.simulator.assert_consumed()
    stack.simulator.reset()


def attempts(tenant: Tenant, run_id: str) -> list[dict[str, Any]]:
    """The attempts that the graph made, without the agent's own turns."""
    return [one for one in tenant.events(run_id, "model_attempt") if one["purpose"] == "graph"]


def audited(tenant: Tenant) -> list[tuple[str, str]]:
    return [(item["tool"], item["outcome"]) for item in tenant.items("audit")]


@pytest.mark.usefixtures("scripted")
def test_an_agent_uses_the_graph_and_all_that_it_did_is_on_record(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask("A briefing on the boats, please.", agent="briefer")
    assert (view["status"], view["answer"]) == ("succeeded", "The briefing: there are 122.5 boats.")
    [call] = tenant.events(view["run_id"], "tool_call")
    assert (call["tool"], call["status"]) == ("briefing", "succeeded")
    [result] = [result for one in tenant.messages(view["session"]) for result in one["tool_results"]]
    assert "There are 122.5 boats." in result["content"]
    assert audited(tenant) == [("calculator", "ok"), ("briefing", "ok")]
    # Under the run in the ledger, with its cost, as the agent's own turns are.
    made = attempts(tenant, view["run_id"])
    assert [one["outcome"] for one in made] == ["ok", "ok", "ok"]
    every = tenant.events(view["run_id"], "model_attempt")
    [row] = [row for row in tenant.get("/v1/cost?by=run")["rows"] if row["key"] == view["run_id"]]
    assert row["cost_nanousd"] == sum(one["cost_nanousd"] for one in every)
    assert all(one["cost_nanousd"] > 0 for one in made)
    # The checkpoints are the tenant's, of this call, and expire.
    kept = tenant.items("graph")
    assert {item["pk"] for item in kept} == {f"T#{tenant.name}#G#{view['run_id']}.00001.00"}
    assert len([item for item in kept if item["kind"] == "checkpoint"]) == 5
    assert all(item["ttl"] for item in kept)


def test_a_graph_whose_process_is_killed_goes_on_at_its_last_checkpoint(stack: Stack) -> None:
    tenant, mark = stack.tenant(), word()
    hanging = f"Write the briefing on {mark}"
    stack.simulator.add_faults({"kind": "delay", "seconds": 20, "path": "/v1/messages", "text": hanging, "times": 1})
    run = str(tenant.post("/v1/runs", {"agent": "briefer", "message": f'Briefing "{mark}"'}).json()["run_id"])
    until(lambda: not any(fault["text"] == hanging for fault in stack.simulator.add_faults()), "the call that hangs")
    for process in stack.processes("tool-briefing"):
        process.kill()
    view = tenant.settle(run)
    assert view["status"] == "succeeded", view
    # Outline and figures once, the text twice: nobody knows what became of the request that was cut off.
    made = attempts(tenant, run)
    assert len(made) == 4
    assert audited(tenant) == [("briefing", "ok")]
    # What was billed is in the run, once; and the trace says in which node it was cut off.
    assert view["cost_nanousd"] == sum(one["cost_nanousd"] for one in tenant.events(run, "model_attempt"))
    nodes = [one for one in tenant.get(f"/v1/runs/{run}/trace")["spans"] if one["kind"] == "node"]
    assert sorted((one["name"], one["attributes"]["status"]) for one in nodes) == [
        ("figures", "ok"),
        ("outline", "ok"),
        ("write", "cut_off"),
        ("write", "ok"),
    ]


def test_the_gateway_falls_back_inside_the_graph(stack: Stack) -> None:
    tenant, mark = stack.tenant(), word()
    with stack.overload(f"Outline a briefing on {mark}", "anthropic"):
        view = tenant.ask(f'Briefing "{mark}"', agent="briefer")
    assert view["status"] == "succeeded", view
    answered = [one["provider"] for one in attempts(tenant, view["run_id"]) if one["outcome"] == "ok"]
    assert answered[0] == "openai"
    assert len(answered) == 3


def test_a_langchain_tool_is_a_tool_like_any_other(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask('Slugify title: "The Harbour Bells"', agent="briefer")
    [call] = tenant.events(view["run_id"], "tool_call")
    assert (call["tool"], call["status"]) == ("slugify", "succeeded")
    assert "the-harbour-bells" in view["answer"]
    assert audited(tenant) == [("slugify", "ok")]


def resources(assembly: Path) -> list[dict[str, Any]]:
    """Return the resources of the agent stack and of the stacks in it: this project has tools enough for groups."""
    paths = (assembly / "pentad-dev-agent.template.json", *assembly.glob("*.nested.template.json"))
    return [body for path in paths for body in json.loads(path.read_text())["Resources"].values()]


def functions(assembly: Path) -> dict[str, Any]:
    found = [body["Properties"] for body in resources(assembly) if body["Type"] == "AWS::Lambda::Function"]
    return {re.sub(r"^pentad-dev-(tool-)(\d\d-)?|^pentad-dev-", r"\1", one["FunctionName"]): one for one in found}


def test_only_functions_that_need_langgraph_have_its_layer(own: OwnProject) -> None:
    made = functions(own.assembly)
    [layer] = [layer for layer in made["tool-briefing"]["Layers"] if layer not in made["tool-calculator"]["Layers"]]
    having = {name for name, one in made.items() if layer in one["Layers"]}
    assert having == {"tool-briefing", "tool-charter", "tool-slugify"}


def test_only_a_graph_may_ask_the_gateway_and_keep_checkpoints(own: OwnProject) -> None:
    made = functions(own.assembly)
    variables = {name: set(one["Environment"]["Variables"]) for name, one in made.items() if name.startswith("tool-")}
    assert {name for name, names in variables.items() if "GATEWAY_FUNCTION" in names} == {
        "tool-briefing",
        "tool-charter",
    }
    policies = [body["Properties"] for body in resources(own.assembly) if "Roles" in body.get("Properties", {})]
    asking = {one["Roles"][0]["Ref"][:11] for one in policies if "modelsgraphs" in json.dumps(one)}
    assert asking == {"toolbriefin", "toolcharter"}
    # Checkpoints are reached by the credentials of a call, which name the graph, the tenant and the run.
    statements = [each for one in policies for each in one["PolicyDocument"]["Statement"]]
    kept = [each["Condition"] for each in statements if "PrincipalTag/run" in json.dumps(each)]
    named = [tool for one in kept for tool in one["StringEquals"]["aws:PrincipalTag/tool"]]
    assert {*named} == {"briefing", "charter"}
