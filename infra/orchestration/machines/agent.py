"""One agent: its state machine behind the alias ``live``, with a role that can invoke its functions and tools only."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.config import Stage
from infra.orchestration.machines.loop import build_definition
from infra.orchestration.machines.machine import Machine
from infra.orchestration.machines.nesting import grant_continue
from infra.orchestration.machines.reply import build_reply_definition
from infra.orchestration.tasks import State
from pentad.domain.declarations.agents import AgentSpec


class AgentMachine(Machine):
    """The state machine of one agent: Express for one that replies in one turn, Standard for all others."""

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
        """Make the machine.

        Args:
            scope: the parent.
            name: the construct's id.
            stage: the stage.
            spec: the agent.
            functions: recall, think, await_human and deliver.
            tools: the agent's tools, name to function.
        """
        super().__init__(scope, name, stage=stage, of=spec.name)
        called = [one for key, one in functions.items() if spec.pattern == "loop" or key != "await_human"]
        grants.grant_invoke_versions(self.role, [*called, *tools.values()])
        if spec.pattern == "loop":
            grant_continue(self.role, stage=stage, agent=spec.name)
        text = Stack.of(self).to_json_string(_build_definition(spec, functions, tools))
        express = spec.pattern == "reply"
        kind = sfn.StateMachineType.EXPRESS if express else sfn.StateMachineType.STANDARD
        self.publish(sfn.DefinitionBody.from_string(text), kind=kind)


def _build_definition(
    spec: AgentSpec, functions: Mapping[str, lambda_.Function], tools: Mapping[str, lambda_.Function]
) -> State:
    """Return the agent's definition, which names published versions: a run in flight keeps its code and its prompts."""
    seconds = {name: _get_timeout_seconds(function) for name, function in functions.items()}
    seconds["tool"] = max((_get_timeout_seconds(function) for function in tools.values()), default=30)
    versions = {name: function.current_version.function_arn for name, function in functions.items()}
    body = build_definition(
        spec,
        recall=versions["recall"],
        think=versions["think"],
        await_human=versions["await_human"],
        deliver=versions["deliver"],
        tools={name: function.current_version.function_arn for name, function in tools.items()},
        seconds=seconds,
    )
    return body if spec.pattern == "loop" else build_reply_definition(body)


def _get_timeout_seconds(function: lambda_.Function) -> int:
    timeout = function.timeout
    if timeout is None:
        raise ValueError(f"{function.node.path} has no timeout")
    return int(timeout.to_seconds())
