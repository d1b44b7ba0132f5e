"""Workflows as synthesized: their states, payloads, roles, and what is told of a file that is wrong."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from pydantic import BaseModel

from infra.app import main
from infra.components.build import Build
from infra.config import read_stage
from infra.models.catalog import check_tasks
from infra.orchestration.fragments import Flow, Fragment, ScheduleSpec
from infra.orchestration.machines.nesting import grant_agents
from infra.orchestration.machines.workflow_files import compute_most, read_workflows, write
from infra.orchestration.tasks import ENGINE_ERRORS, LAMBDA_ERRORS
from pentad.domain import errors
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.workflows import ModelStep, WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.models.catalog.catalog import load
from pentad.tools.declare.discovery import discover
from tests.infra.conftest import joined
from tests.infra.test_policies import listed, statements

Json = dict[str, Any]
SHIPPED = {"document-review", "research", "support-triage", "report"}
_ALLOWED = {"op", "tenant", "run", "session", "agent", "step", "place", "refs", "retry", "index", "kind", "reason"}
_ALLOWED |= {"error", "cause", "task_token", "strict", "failed", "capped", "function"}


def states_in(definition: Json) -> Iterator[tuple[str, Json]]:
    for name, state in definition["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states_in(branch)


def tasks_in(definition: Json) -> list[tuple[str, Json]]:
    return [(name, state) for name, state in states_in(definition) if state["Type"] == "Task"]


def test_no_workflow_does_a_step_for_each_entry_of_a_list(workflows: dict[str, Json]) -> None:
    kinds = {state["Type"] for definition in workflows.values() for _, state in states_in(definition)}
    assert "Task" in kinds
    assert "Map" not in kinds


def test_what_a_workflow_can_cost_at_most_is_computed_and_warned_of(root: Path, tmp_path: Path) -> None:
    stack, agents = Stack(App()), {"helper": AgentSpec(name="helper", description="h", prompt="p")}
    folder = tmp_path / "infra" / "workflows"
    folder.mkdir(parents=True)
    source = (
        "def workflow(flow):\n"
        "    'Ask many.'\n"
        "    flow.answer = '{{one_0}}'\n"
        "    return flow.sequential(*(flow.agent(f'one_{n}', 'helper', '{{input}}') for n in range(COUNT)))\n"
    )
    for name, count in (("few", 3), ("many", 25)):
        (folder / f"{name}.py").write_text(source.replace("COUNT", str(count)))
    stage = read_stage(App())
    found = read_workflows(stack, folder, stage=stage, agents=agents, tools={})
    assert compute_most(found["few"].spec, agents) == 8_000_000_000
    told = [str(entry.data) for entry in stack.node.metadata if entry.type == "aws:cdk:warning"]
    assert len(told) == 1
    assert "many.py: one run can cost $52.00, more than the $50.00 that a tenant has for a day" in told[0]


def test_every_file_is_a_machine(workflows: dict[str, Json]) -> None:
    assert set(workflows) == {f"pentad-dev-agent-{name}" for name in SHIPPED}


def test_every_task_has_a_time_limit_and_retries_every_transient_error(workflows: dict[str, Json]) -> None:
    for definition in workflows.values():
        for name, state in tasks_in(definition):
            assert state["TimeoutSeconds"], name
            retried = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert set(errors.transient_names()) <= retried, name
            assert all(0 < rule["MaxAttempts"] <= 8 for rule in state["Retry"]), name


def test_every_error_name_is_in_the_error_tree_or_of_aws(workflows: dict[str, Json]) -> None:
    known = {leaf.__name__ for leaf in errors.iter_leaves()} | {*LAMBDA_ERRORS, *ENGINE_ERRORS}
    for definition in workflows.values():
        rules = [
            rule for _, state in states_in(definition) for rule in (*state.get("Retry", []), *state.get("Catch", []))
        ]
        named = {error for rule in rules for error in rule["ErrorEquals"]}
        named |= {state["Error"] for _, state in states_in(definition) if state["Type"] == "Fail"}
        foreign = {error for error in named - known if not error.startswith(("States.", "{%"))}
        assert not foreign


def test_whatever_fails_leads_to_the_end_of_the_run_in_the_store(workflows: dict[str, Json]) -> None:
    for definition in workflows.values():
        top = definition["States"]
        for name, state in top.items():
            if state["Type"] in ("Task", "Parallel") and name != "Abort":
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
                assert state["Catch"][-1]["Next"] == "Abort", name
        assert top["Body"]["Catch"][0] == {
            "ErrorEquals": ["LimitReached", "BudgetExceeded", "StepRejected"],
            "Output": top["Body"]["Catch"][0]["Output"],
            "Next": "Stop",
        }


def test_payloads_carry_references_only(workflows: dict[str, Json]) -> None:
    for definition in workflows.values():
        for name, state in tasks_in(definition):
            payload = state["Arguments"].get("Payload", "")
            outer = re.sub(r"'refs': \{[^}]*\}", "'refs': 0", payload)
            assert set(re.findall(r"'([a-z_]+)':", outer)) <= _ALLOWED, name


def test_variables_are_set_at_the_top_only(workflows: dict[str, Json]) -> None:
    for definition in workflows.values():
        inner = [state for name, state in states_in(definition) if name not in definition["States"]]
        assert inner
        assert not [state for state in inner if "Assign" in state]


def test_every_task_waits_longer_than_its_function_may_run(
    workflows: dict[str, Json], functions: dict[str, Json], resources: list[tuple[str, Json]]
) -> None:
    versions = {
        logical_id: joined(body["Properties"]["FunctionName"]).strip("<>")
        for logical_id, body in resources
        if body["Type"] == "AWS::Lambda::Version"
    }
    seconds = {
        logical_id: body["Properties"]["Timeout"]
        for logical_id, body in resources
        if body["Type"] == "AWS::Lambda::Function"
    }
    checked = 0
    for definition in workflows.values():
        for name, state in tasks_in(definition):
            version = state["Arguments"].get("FunctionName", "").strip("<>")
            if version in versions and isinstance(state["TimeoutSeconds"], int):
                checked += 1
                assert state["TimeoutSeconds"] > seconds[versions[version]], name
    assert checked > 20


def test_a_definition_is_far_from_the_size_limit_of_one_mebibyte(workflows: dict[str, Json]) -> None:
    assert all(len(json.dumps(definition)) < 100_000 for definition in workflows.values())


def test_a_workflow_starts_its_own_agents_and_no_others(
    workflows: dict[str, Json], resources: list[tuple[str, Json]]
) -> None:
    for name, definition in workflows.items():
        started = {
            state["Arguments"]["StateMachineArn"].removesuffix(":live")
            for _, state in tasks_in(definition)
            if "StateMachineArn" in state["Arguments"]
        }
        title = name.removeprefix("pentad-dev-agent-").replace("-", "")
        granted = {
            joined(resource)
            for logical_id, statement in statements(resources)
            if logical_id.startswith(f"workflowmachine{title}")
            and "states:StartExecution" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        assert granted == started, name


def test_the_rule_of_nested_executions_is_granted_to_those_that_nest(resources: list[tuple[str, Json]]) -> None:
    holders = {
        logical_id
        for logical_id, statement in statements(resources)
        if logical_id.startswith("workflowmachine")
        for resource in listed(statement["Resource"])
        if "StepFunctionsGetEventsForStepFunctionsExecutionRule" in joined(resource)
    }
    assert len(holders) == 3  # a review has no agent


def test_an_agent_that_replies_may_be_started_at_its_live_alias_and_no_more() -> None:
    app = App(context={"stage": "dev"})
    stack = Stack(app, "stack")
    role = iam.Role(stack, "role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    quick = AgentSpec(name="quick", description="d", prompt="p", pattern="reply")
    grant_agents(role, cast("Build", SimpleNamespace(stage=read_stage(app))), [quick])
    [policy] = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "states:StartSyncExecution"
    assert statement["Condition"] == {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": ["live"]}}
    assert joined(statement["Resource"]).endswith(":stateMachine:pentad-dev-reply-quick")


def test_the_catalog_holds_the_workflows(assembly_dir: Path, resources: list[tuple[str, Json]]) -> None:
    [layer] = [
        body["Properties"]["Content"]["S3Key"]
        for _, body in resources
        if body["Type"] == "AWS::Lambda::LayerVersion" and body["Properties"]["Description"] == "Pentad: catalog"
    ]
    asset = assembly_dir / f"asset.{joined(layer).removesuffix('.zip')}"
    catalog = Catalog.model_validate_json((asset / "python" / "pentad_catalog" / "catalog.json").read_text())
    assert set(catalog.workflows) == SHIPPED
    assert all(spec.steps and spec.description for spec in catalog.workflows.values())


class Verdict(BaseModel):
    score: float
    kind: str
    good: bool


def refused(build: Callable[[Flow], Fragment]) -> str:
    app = App(context={"stage": "dev"})
    agents = {
        name: AgentSpec.model_validate({"name": name, "description": "d", "prompt": "p", "pattern": pattern})
        for name, pattern in (("helper", "loop"), ("quick", "reply"))
    }
    flow = Flow(
        Stack(app, "stack"),
        "bad",
        file=Path("infra/workflows/bad.py"),
        stage=read_stage(app),
        agents=agents,
        tools=discover(),
    )
    with pytest.raises(ConfigurationError) as caught:
        write(flow, build)
    return caught.value.message


def answering(answer: str, make: Callable[[Flow], Fragment]) -> Callable[[Flow], Fragment]:
    def build(flow: Flow) -> Fragment:
        flow.answer = answer
        return make(flow)

    return build


def scheduling(*expressions: str) -> Callable[[Flow], Fragment]:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{t}}"
        flow.schedules = [
            ScheduleSpec(name="daily", expression=one, tenant_id="acme", message="Go.") for one in expressions
        ]
        return flow.text("t", "x")

    return build


def judged(flow: Flow, on: str) -> Fragment:
    step = flow.model("judge", "x", output=Verdict)
    return flow.sequential(step, flow.branch(on, {"a": flow.text("t", "x")}))


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (answering("", lambda flow: flow.text("t", "x")), "answer: template: flow.answer is missing: set it"),
        (answering("{{u}}", lambda flow: flow.text("t", "x")), "answer: template: {{u}}: no step 'u' comes before"),
        (answering("x", lambda flow: flow.text("t", "{{t}}")), "t: text: {{t}}: no step 't' comes before"),
        (answering("x", lambda flow: flow.model("m", "{{a b}}")), "m: prompt: {{a b}} is not a reference"),
        (
            answering("x", lambda flow: flow.agent("s", "nobody", "x")),
            "s: agent: no agent 'nobody': use one",
        ),
        (
            answering("x", lambda flow: flow.tool("s", "nothing")),
            "s: tool: no tool 'nothing': use one",
        ),
        (scheduling("every day"), "infra/workflows/bad.py"),
        (scheduling("rate(1 day)", "rate(2 days)"), "two schedules have the same name"),
        (
            answering("x", lambda flow: flow.tool("s", "calculator", sum="1")),
            "s: arguments: the tool has no argument 'sum': it has expression; "
            "s: arguments: the tool's argument 'expression' is missing",
        ),
        (
            answering("x", lambda flow: flow.approval("a", "x", on_expiry="escalate")),
            "a: escalate_to: on_expiry is escalate: name at least one group",
        ),
        (answering("x", lambda flow: flow.text("Bad", "x")), "Bad: name: String should match pattern"),
        (
            answering("x", lambda flow: flow.sequential(flow.text("t", "x"), flow.text("t", "y"))),
            "t: name: another step has the name 't'",
        ),
        (
            answering("x", lambda flow: judged(flow, "judge.kind")),
            "which_1: on: 'judge' does not export the field",
        ),
        (answering("x", lambda flow: judged(flow, "other.kind")), "which_1: on: no step 'other' comes before"),
        (
            answering("x", lambda flow: [flow.text("u", "x"), flow.text("t", "x")][1]),
            "u: name: no part of the workflow uses this step",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_file_part_and_field(build: Callable[[Flow], Fragment], told: str) -> None:
    message = refused(build)
    assert message.startswith("infra/workflows/bad.py: ")
    assert told in message


def test_all_that_is_wrong_is_told_at_once() -> None:
    message = refused(answering("{{x}}", lambda flow: flow.text("t", "{{y}}")))
    assert "{{x}}" in message
    assert "{{y}}" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def workflow(flow) return", "infra/workflows/own.py:1: SyntaxError: expected ':'"),
        ("x = 1\ny = z", "infra/workflows/own.py:2: NameError: name 'z' is not defined"),
        ("x = 1", "infra/workflows/own.py: the file has no function 'workflow(flow)'"),
        ("def workflow(flow):\n    return flow.model('a', 'x', tsk='y')", "infra/workflows/own.py:2: TypeError: "),
        ("def workflow(flow):\n    flow.text('a', 'x')", "infra/workflows/own.py: workflow(flow) returns 'NoneType'"),
    ],
)
def test_a_file_that_does_not_run_is_told_by_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    folder = tmp_path / "infra" / "workflows"
    folder.mkdir(parents=True)
    (folder / "own.py").write_text(text)
    app = App(context={"stage": "dev"})
    with pytest.raises(ConfigurationError) as caught:
        read_workflows(Stack(app, "stack"), folder, stage=read_stage(app), agents={}, tools={})
    assert caught.value.message.startswith(told)


def test_a_task_that_the_gateway_does_not_have_is_told_by_file_part_and_the_tasks_there_are() -> None:
    step = ModelStep(name="check", number=1, task="jugde", prompt="x")
    own = WorkflowSpec(name="own-work", description="d", steps={"check": step}, answer="x")
    helper = AgentSpec(name="helper", description="d", prompt="p", task="reasn")
    models = load(strict=True)
    with pytest.raises(ConfigurationError, match=r"infra/workflows/own_work\.py: check: task: .*jugde.*judge"):
        check_tasks(models, Catalog(agents={}, tools={}, workflows={"own-work": own}))
    with pytest.raises(ConfigurationError, match=r"agents/helper/agent\.yaml: task: .*reasn.*reason"):
        check_tasks(models, Catalog(agents={"helper": helper}, tools={}))


def test_a_mistake_in_the_project_is_one_line_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_: App) -> None:
        raise ConfigurationError("agents/a/agent.yaml: it is wrong", fix="correct it")

    monkeypatch.setattr("infra.app.build_stacks", build)
    with pytest.raises(SystemExit, match=r"^error: agents/a/agent\.yaml: it is wrong \(correct it\)$"):
        main()
