"""What ``mcp.yaml`` serves: a workflow of one call for each tool, and what is told of a mistake."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from infra.config import read_stage
from infra.orchestration.machines.served import name_flow, read_served
from infra.orchestration.machines.workflow_files import Written
from pentad.domain.declarations.agents import AgentSpec, HumansSpec
from pentad.domain.declarations.serving import ServedSpec
from pentad.domain.declarations.workflows import ToolStep
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import AGENT_PATTERN
from pentad.tools.declare.discovery import discover

AGENTS = {"helper": AgentSpec(name="helper", description="h", prompt="p")}


CLERKS = {
    name: AgentSpec(
        name=name,
        description="d",
        prompt="p",
        tools=("notes",),
        humans=HumansSpec(group=group, quorum=2),
        approval_seconds=600,
    )
    for name, group in (("payments", "finance"), ("legal", "legal"))
}


def read(
    folder: Path, text: str | None, agents: Mapping[str, AgentSpec] = AGENTS
) -> tuple[dict[str, Written], tuple[ServedSpec, ...]]:
    if text is not None:
        (folder / "mcp.yaml").write_text(text)
    stage = read_stage(App())
    return read_served(Stack(App()), folder, stage=stage, agents=agents, workflows=["report"], tools=discover())


@pytest.mark.parametrize("text", [None, "", "{}", "serve: {}"])
def test_nothing_is_served_by_default(tmp_path: Path, text: str | None) -> None:
    assert read(tmp_path, text) == ({}, ())


def test_a_tool_is_a_workflow_whose_message_is_its_arguments(tmp_path: Path) -> None:
    flows, served = read(tmp_path, "serve:\n  agents: [helper, report]\n  tools: [calculator, notes]\n")
    assert [(one.name, one.kind, one.runs) for one in served] == [
        ("helper", "agent", "helper"),
        ("report", "agent", "report"),
        ("calculator", "tool", "mcp-calculator"),
        ("notes", "tool", "mcp-notes"),
    ]
    step = flows["mcp-calculator"].spec.steps["call"]
    assert isinstance(step, ToolStep)
    assert (step.tool, step.from_input, step.arguments) == ("calculator", True, {})
    assert flows["mcp-notes"].spec.tools == ("notes",)


def test_a_tool_that_needs_an_approval_awaits_it(tmp_path: Path) -> None:
    flows, _ = read(tmp_path, "serve: {tools: [calculator, notes]}")
    names = {name: [one.node.id for one in flow.flow.node.find_all()] for name, flow in flows.items()}
    assert any("approval" in state for state in names["mcp-notes"])
    assert not any("approval" in state for state in names["mcp-calculator"])


def step_of(folder: Path, text: str, *agents: str) -> ToolStep:
    flows, _ = read(folder, text, {name: CLERKS[name] for name in agents})
    step = flows["mcp-notes"].spec.steps["call"]
    assert isinstance(step, ToolStep)
    return step


def test_a_client_needs_whom_the_agent_with_the_tool_needs(tmp_path: Path) -> None:
    step = step_of(tmp_path, "serve: {tools: [notes]}", "payments")
    assert (step.group, step.quorum, step.four_eyes, step.seconds) == ("finance", 2, True, 600)


def test_the_file_says_who_approves(tmp_path: Path) -> None:
    text = "serve: {tools: {notes: {group: bosses, quorum: 3, escalate_to: [leads]}, calculator: }}"
    step = step_of(tmp_path, text, "payments", "legal")
    assert (step.group, step.quorum, step.four_eyes) == ("bosses", 3, True)
    assert (step.on_expiry, step.escalate_to) == ("escalate", ("leads",))


def test_agents_of_two_groups_need_a_word_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mcp.yaml: call: approvers: .* \(finance, legal\): name the one"):
        step_of(tmp_path, "serve: {tools: [notes]}", "payments", "legal")


@pytest.mark.parametrize("tool", ["calculator", "a" * 40, "a" * 39 + "b", "weather__get_forecast"])
def test_the_workflows_name_is_one(tool: str) -> None:
    assert re.fullmatch(AGENT_PATTERN, name_flow(tool))


def test_two_long_tools_have_two_workflows() -> None:
    assert name_flow("a" * 39 + "b") != name_flow("a" * 39 + "c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("serve: {tools: [nothing]}", "there is no 'nothing'"),
        ("serve: {agents: [nobody]}", "there is no 'nobody'"),
        ("serve: {tools: [notes, notes]}", "'notes' twice"),
        ("serve: {tool: [notes]}", "do you mean 'tools'"),
        ("serve: {tools: {notes: {groups: finance}}}", "do you mean 'group'"),
        ("serve: {tools: {notes: {group: Finance}}}", "serve.tools.notes.group"),
        ("serve: {tools: {notes: {quorum: 0}}}", "serve.tools.notes.quorum"),
        ("serve: {tools: {notes: {on_expiry: escalate}}}", "name at least one group"),
        ("serve: {tools: [{notes: {quorum: 2}}]}", "without a dash"),
        ("srve: {}", "do you mean 'serve'"),
        ("serve: [notes]", "serve: "),
        ("- a", "the file: "),
        ("serve: {agents: [Helper]}", "serve.agents.0"),
        ("a: [", "not YAML"),
        ("serve: {agents: [a], agents: [b]}", "mcp.yaml:1: 'agents' is defined twice"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        read(tmp_path, text)
    assert told in found.value.message or told in (found.value.fix or "")
    assert "mcp.yaml" in found.value.message
