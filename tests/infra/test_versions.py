"""Versions, aliases and rollouts as synthesized."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Template

from infra.config import STAGES
from infra.orchestration.machines.agent import AgentMachine
from infra.orchestration.machines.live import LiveAlias
from infra.orchestration.machines.machine import Called
from infra.orchestration.machines.reply import build_reply_definition, check_pattern
from pentad.domain.declarations.agents import AgentSpec, ConfidenceSpec, HumansSpec
from pentad.domain.errors import ConfigurationError
from tests.infra.conftest import joined, states_of
from tests.infra.test_policies import listed, statements

Json = dict[str, Any]


def of_type(resources: list[tuple[str, Json]], kind: str) -> dict[str, Json]:
    return {logical_id: body for logical_id, body in resources if body["Type"] == kind}


def synthesized(stage: str) -> Json:
    app = App()
    stack = Stack(app, "stack")
    definition = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
    machine = sfn.StateMachine(stack, "machine", definition_body=sfn.DefinitionBody.from_string(definition))
    LiveAlias(stack, "live", stage=STAGES[stage], machine=machine, label="pentad-agent")
    found: Json = Template.from_stack(stack).to_json()["Resources"]
    return found


def synthesize_agent(pattern: Literal["loop", "reply"]) -> dict[str, str]:
    """Return the resources of an agent's machine, by logical id: their names, where they have one."""
    stack = Stack(App(), "stack")
    parts = {
        name: lambda_.Function(
            stack,
            name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("pass"),
            timeout=Duration.seconds(30),
        )
        for name in ("recall", "think", "await_human", "deliver", "run_tool")
    }
    spec = AgentSpec(name="quick", description="d", prompt="p", pattern=pattern)
    AgentMachine(stack, spec.machine, stage=STAGES["dev"], spec=spec, called=Called(functions=parts, tools={}))
    found = Template.from_stack(stack).to_json()["Resources"]
    names, others = ("StateMachineName", "LogGroupName", "AlarmName"), tuple(one.replace("_", "") for one in parts)
    return {
        logical_id: next((str(body["Properties"][name]) for name in names if name in body["Properties"]), "")
        for logical_id, body in found.items()
        if not logical_id.startswith(others)
    }


def test_loop_and_reply_are_exchanged_for_each_other_by_machines_that_have_nothing_in_common() -> None:
    loop, reply = synthesize_agent("loop"), synthesize_agent("reply")
    assert "pentad-dev-agent-quick" in loop.values()
    assert "pentad-dev-reply-quick" in reply.values()
    assert not loop.keys() & reply.keys()
    assert not set(filter(None, loop.values())) & set(filter(None, reply.values()))


def test_every_machine_has_a_version_of_its_newest_revision_that_stays_behind(
    resources: list[tuple[str, Json]],
) -> None:
    machines = set(of_type(resources, "AWS::StepFunctions::StateMachine"))
    versions = of_type(resources, "AWS::StepFunctions::StateMachineVersion")
    assert machines
    assert {body["Properties"]["StateMachineArn"]["Ref"] for body in versions.values()} == machines
    for body in versions.values():
        machine = body["Properties"]["StateMachineArn"]["Ref"]
        assert body["Properties"]["StateMachineRevisionId"] == {"Fn::GetAtt": [machine, "StateMachineRevisionId"]}
        assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_every_machine_has_the_alias_that_runs_are_started_at(resources: list[tuple[str, Json]]) -> None:
    versions = of_type(resources, "AWS::StepFunctions::StateMachineVersion")
    aliases = of_type(resources, "AWS::StepFunctions::StateMachineAlias")
    assert {body["Properties"]["Name"] for body in aliases.values()} == {"live"}
    led_to = {
        body["Properties"]["DeploymentPreference"]["StateMachineVersionArn"]["Fn::GetAtt"][0]
        for body in aliases.values()
    }
    assert led_to == set(versions)


def test_every_function_that_a_definition_names_is_a_published_version_that_stays_behind(
    resources: list[tuple[str, Json]], definitions: dict[str, Json]
) -> None:
    versions = of_type(resources, "AWS::Lambda::Version")
    assert all(body["UpdateReplacePolicy"] == "Retain" for body in versions.values())
    known = {f"<{logical_id}>" for logical_id in versions}
    for definition in definitions.values():
        for name, state in states_of(definition):
            function = state.get("Arguments", {}).get("FunctionName", "")
            if function and not function.startswith("{%"):
                assert function in known, name
        tools = definition["States"].get("Recall", {}).get("Assign", {}).get("toolFunctions", {})
        assert set(tools.values()) <= known


def test_a_start_is_allowed_at_the_live_alias_only(resources: list[tuple[str, Json]]) -> None:
    starts = {
        (logical_id, joined(resource)): statement.get("Condition")
        for logical_id, statement in statements(resources)
        if "states:StartExecution" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert starts
    for (logical_id, machine), condition in starts.items():
        assert not machine.endswith(":live"), "IAM sees the machine's own ARN"
        # A run that goes on in another execution stays on its own version, whatever that is.
        own = machine.rpartition("-agent-")[2].replace("-", "").replace("_", "")
        # Child executions of a Map Run are those of its own machine and version.
        children = logical_id.startswith("bulkdocumentsrole") and machine.endswith("-bulk-ingest")
        if not logical_id.startswith(f"agent{own}role") and not children:
            assert condition == {"ForAnyValue:StringEquals": {"states:StateMachineQualifier": ["live"]}}, logical_id


@pytest.mark.parametrize(("stage", "percentage", "minutes"), [("staging", 20, 5), ("prod", 10, 10)])
def test_a_gradual_rollout_watches_the_alarm_of_its_machine(stage: str, percentage: int, minutes: int) -> None:
    made = synthesized(stage)
    [(_, alarm)] = of_type(list(made.items()), "AWS::CloudWatch::Alarm").items()
    [(_, alias)] = of_type(list(made.items()), "AWS::StepFunctions::StateMachineAlias").items()
    preference = alias["Properties"]["DeploymentPreference"]
    [alarm_id] = [key for key, body in made.items() if body is alarm or body == alarm]
    assert preference["Type"] == "CANARY"
    assert (preference["Percentage"], preference["Interval"]) == (percentage, minutes)
    # By name: CloudFormation takes an ARN for an alarm that does not exist, and so for one that is fine.
    assert preference["Alarms"] == [{"Ref": alarm_id}]
    assert alarm["Properties"]["AlarmName"] == "pentad-agent-failures"


def test_a_rollout_all_at_once_states_no_share_and_no_interval() -> None:
    [(_, alias)] = of_type(list(synthesized("dev").items()), "AWS::StepFunctions::StateMachineAlias").items()
    assert set(alias["Properties"]["DeploymentPreference"]) == {"StateMachineVersionArn", "Type"}


def test_the_alarm_counts_the_executions_of_the_live_alias(resources: list[tuple[str, Json]]) -> None:
    alarms = [
        body["Properties"]
        for body in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if body["Properties"]["AlarmName"].endswith("-failures")
    ]
    assert len(alarms) == len(of_type(resources, "AWS::StepFunctions::StateMachine"))
    for alarm in alarms:
        metrics = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
        assert {one["MetricName"] for one in metrics} == {
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsSucceeded",
        }
        for metric in metrics:
            assert {"Name": "Alias", "Value": "live"} in metric["Dimensions"]


def agent(**changes: Any) -> AgentSpec:
    return AgentSpec(name="quick", description="d", prompt="p", pattern="reply", **changes)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("tools", {"tools": ("calculator",)}),
        ("confidence", {"confidence": ConfidenceSpec()}),
        ("humans.may_ask", {"humans": HumansSpec(may_ask=True)}),
        ("requires", {"requires": {"order": "Which order?"}}),
    ],
)
def test_a_reply_agent_with_what_it_cannot_do_is_refused_by_file_and_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"agents/quick/agent.yaml: {field}: "):
        check_pattern(agent(**changes), Path("agents/quick/agent.yaml"))


def test_a_reply_agent_without_tools_and_humans_is_taken() -> None:
    check_pattern(agent(), Path("agents/quick/agent.yaml"))


def test_a_loop_agent_may_have_tools() -> None:
    spec = AgentSpec(name="slow", description="d", prompt="p", tools=("calculator",))
    check_pattern(spec, Path("agents/slow/agent.yaml"))


def test_a_reply_keeps_of_the_loop_only_what_one_turn_needs(definitions: dict[str, Json]) -> None:
    made = build_reply_definition(definitions["pentad-dev-agent-assistant"])
    assert set(made["States"]) == {"Recall", "Think", "Deliver", "Abort", "Failed"}
    assert made["States"]["Think"]["Next"] == "Deliver"
    assert "waitForTaskToken" not in json.dumps(made)


def test_the_tries_of_a_reply_fit_into_the_five_minutes_of_an_express_execution(
    definitions: dict[str, Json],
) -> None:
    states = build_reply_definition(definitions["pentad-dev-agent-assistant"])["States"]
    assert sum(states[name]["TimeoutSeconds"] for name in ("Recall", "Think", "Deliver", "Abort")) < 300
