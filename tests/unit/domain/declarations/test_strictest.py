"""Who approves a tool's calls in workflows and for MCP clients: nobody weaker than where an agent calls it."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog, HumansSpec
from pentad.domain.declarations.asking import Approvers
from pentad.domain.declarations.strictest import complete_approvers
from pentad.domain.declarations.workflows import ToolStep, WorkflowSpec, place_of


def agent(name: str, *tools: str, seconds: int = 86_400, **humans: Any) -> AgentSpec:
    spec = HumansSpec.model_validate(humans)
    return AgentSpec(name=name, description="d", prompt="p", tools=tools, humans=spec, approval_seconds=seconds)


def complete(agents: list[AgentSpec], **named: Any) -> ToolStep:
    fields = complete_approvers("pay", Approvers.model_validate(named), agents)
    return ToolStep(name="call", number=1, tool="pay", arguments={}, **fields)


FINANCE = agent("payments", "pay", seconds=600, group="finance", quorum=2)
CLERK = agent("clerk", "pay", "notes", group="operators", not_requester=True)
OTHER = agent("other", "notes", group="sales", quorum=5)


def test_what_is_not_said_is_as_the_only_agent_with_the_tool_has_it() -> None:
    step = complete([OTHER, FINANCE])
    assert (step.group, step.quorum, step.four_eyes, step.seconds) == ("finance", 2, True, 600)


@pytest.mark.parametrize("agents", [[FINANCE, CLERK], [CLERK, FINANCE]])
def test_of_several_agents_the_strictest_counts_in_each_field(agents: list[AgentSpec]) -> None:
    step = complete(agents)
    assert (step.group, step.quorum, step.four_eyes, step.seconds) == ("finance", 2, True, 600)


def test_four_eyes_of_any_agent_stay() -> None:
    assert complete([CLERK, agent("b", "pay")]).four_eyes


def test_a_tool_of_no_agent_asks_operators() -> None:
    step = complete([OTHER])
    assert (step.group, step.quorum, step.four_eyes, step.seconds) == ("operators", 1, False, 86_400)


def test_agents_of_two_groups_have_to_be_decided_between() -> None:
    agents = [FINANCE, agent("b", "pay", group="legal")]
    with pytest.raises(ValueError, match=r"several groups \(finance, legal\)"):
        complete(agents)
    assert (complete(agents, group="legal").group, complete(agents, group="legal").quorum) == ("legal", 2)


def test_what_is_said_counts() -> None:
    step = complete([FINANCE], quorum=1, not_requester=False, seconds=60, remind_seconds=60)
    assert (step.group, step.quorum, step.four_eyes, step.seconds) == ("finance", 1, False, 60)


def test_more_who_approve_are_others_than_who_asked() -> None:
    assert complete([agent("a", "pay")], quorum=3).four_eyes


@pytest.mark.parametrize(
    ("humans", "named", "expected"),
    [
        ({"on_expiry": "escalate", "escalate_to": ["leads"]}, {}, ("escalate", ("leads",))),
        ({"on_expiry": "escalate", "escalate_to": ["leads"]}, {"on_expiry": "reject"}, ("reject", ())),
        ({"on_expiry": "escalate", "escalate_to": ["leads"]}, {"group": "legal"}, ("reject", ())),
        ({"on_expiry": "approve"}, {}, ("reject", ())),
        ({"on_expiry": "approve"}, {"on_expiry": "approve"}, ("approve", ())),
        ({}, {"escalate_to": ["leads"]}, ("escalate", ("leads",))),
    ],
)
def test_nothing_approves_itself_by_its_time_unless_that_is_said(
    humans: dict[str, Any], named: dict[str, Any], expected: tuple[str, tuple[str, ...]]
) -> None:
    step = complete([agent("a", "pay", group="finance", **humans)], **named)
    assert (step.on_expiry, step.escalate_to) == expected


def test_agents_that_hand_on_to_different_groups_hand_on_to_none() -> None:
    one = agent("a", "pay", on_expiry="escalate", escalate_to=["leads"])
    two = agent("b", "pay", on_expiry="escalate", escalate_to=["bosses"])
    assert complete([one, two]).on_expiry == "reject"


def test_whoever_would_approve_a_steps_call_answers_for_it_in_each_round() -> None:
    step = complete([FINANCE])
    flow = WorkflowSpec(name="flow", description="d", steps={"call": step}, answer="{{call}}")
    catalog = Catalog(agents={"payments": FINANCE}, tools={}, workflows={"flow": flow})
    assert [catalog.find_group_of_call("flow", place_of(1, round_)) for round_ in (0, 3)] == ["finance", "finance"]
    assert catalog.find_group_of_call("flow", place_of(2, 0)) == "operators"
    assert catalog.find_group_of_call("payments", 7) == "finance"
