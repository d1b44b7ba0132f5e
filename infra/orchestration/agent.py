"""One agent: its Standard state machine with a role that can invoke that agent's functions and tools only."""

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
from infra.orchestration.loop import definition
from infra.orchestration.names import machine_name_of
from pentad.domain.agents import AgentSpec


class AgentMachine(Construct):
    """The state machine of one agent.

    Args:
        scope: the parent.
        name: the construct's id.
        stage: the stage.
        spec: the agent.
        functions: recall, think, await_human and deliver.
        think: the alias of the think function, which is what is called.
        tools: the agent's tools, name to function.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        spec: AgentSpec,
        functions: Mapping[str, lambda_.Function],
        think: lambda_.IFunction,
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
        others = [function for name, function in functions.items() if name != "think"]
        called = [*others, think, *tools.values()]
        grants.invoke(self.role, [function.function_arn for function in called])
        log_group = logs.LogGroup(
            self,
            "logs",
            # CloudWatch's resource policy has a size limit; names below /aws/vendedlogs/ are covered by one statement.
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            retention=stage.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        seconds = {name: _seconds(function) for name, function in functions.items()}
        seconds["tool"] = max((_seconds(function) for function in tools.values()), default=30)
        body = definition(
            spec,
            recall=functions["recall"].function_arn,
            think=think.function_arn,
            await_human=functions["await_human"].function_arn,
            deliver=functions["deliver"].function_arn,
            tools={name: function.function_arn for name, function in tools.items()},
            seconds=seconds,
        )
        self.machine = sfn.StateMachine(
            self,
            "machine",
            state_machine_name=machine_name,
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(body)),
            role=self.role,
            # Payloads are references, so the history holds no content and may be logged whole.
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Step Functions' log delivery and X-Ray actions take no resource: IAM allows them on * only.",
        )


def _seconds(function: lambda_.Function) -> int:
    timeout = function.timeout
    if timeout is None:
        raise ValueError(f"{function.node.path} has no timeout")
    return int(timeout.to_seconds())
