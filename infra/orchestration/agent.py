"""One agent: its state machine behind the alias ``live``, with a role that can invoke its functions and tools only."""

from collections.abc import Mapping

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.components.reasons import acknowledge
from infra.config import Stage
from infra.orchestration.live import LiveAlias
from infra.orchestration.loop import State, definition
from infra.orchestration.names import machine_name_of
from infra.orchestration.nesting import grant_continue
from infra.orchestration.reply import reply_only
from pentad.domain.agents import AgentSpec


class AgentMachine(Construct):
    """The state machine of one agent.

    Args:
        scope: the parent.
        name: the construct's id.
        stage: the stage.
        spec: the agent.
        functions: recall, think, await_human and deliver.
        tools: the agent's tools, name to function.

    Attributes:
        machine: the state machine; Express for an agent that replies in one turn, Standard for all others.
        live: its newest version and the alias that runs are started at.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        spec: AgentSpec,
        functions: Mapping[str, lambda_.Function],
        tools: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, name)
        machine_name = machine_name_of(stage, spec.name)
        self.role = iam.Role(
            self,
            "role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"Role of the state machine {machine_name}",
        )
        called = [one for key, one in functions.items() if spec.pattern == "loop" or key != "await_human"]
        grants.invoke_versions(self.role, [*called, *tools.values()])
        if spec.pattern == "loop":
            grant_continue(self.role, stage=stage, agent=spec.name)
        log_group = logs.LogGroup(
            self,
            "logs",
            # CloudWatch's resource policy has a size limit; names below /aws/vendedlogs/ are covered by one statement.
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            retention=stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.machine = sfn.StateMachine(
            self,
            "machine",
            state_machine_name=machine_name,
            state_machine_type=(
                sfn.StateMachineType.EXPRESS if spec.pattern == "reply" else sfn.StateMachineType.STANDARD
            ),
            definition_body=sfn.DefinitionBody.from_string(
                Stack.of(self).to_json_string(_definition(spec, functions, tools))
            ),
            role=self.role,
            # Payloads are references, so the history holds no content and may be logged whole.
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        self.live = LiveAlias(self, "live", stage=stage, machine=self.machine, label=machine_name)
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Step Functions' log delivery and X-Ray actions take no resource: IAM allows them on * only.",
        )


def _definition(
    spec: AgentSpec, functions: Mapping[str, lambda_.Function], tools: Mapping[str, lambda_.Function]
) -> State:
    """Return the agent's definition, which names published versions: a run in flight keeps its code and its prompts."""
    seconds = {name: _seconds(function) for name, function in functions.items()}
    seconds["tool"] = max((_seconds(function) for function in tools.values()), default=30)
    versions = {name: function.current_version.function_arn for name, function in functions.items()}
    body = definition(
        spec,
        recall=versions["recall"],
        think=versions["think"],
        await_human=versions["await_human"],
        deliver=versions["deliver"],
        tools={name: function.current_version.function_arn for name, function in tools.items()},
        seconds=seconds,
    )
    return body if spec.pattern == "loop" else reply_only(body)


def _seconds(function: lambda_.Function) -> int:
    timeout = function.timeout
    if timeout is None:
        raise ValueError(f"{function.node.path} has no timeout")
    return int(timeout.to_seconds())
