"""One agent: its state machine behind the alias ``live``, with a role that can invoke its functions and tools only."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Stage
from infra.orchestration.machines.loop import build_definition
from infra.orchestration.machines.machine import Called, Machine
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
        called: Called,
        one_by_one: Sequence[str] = (),
    ) -> None:
        """Make the machine.

        Args:
            scope: the parent.
            name: the construct's id.
            stage: the stage.
            spec: the agent.
            called: recall, think, await_human, run_tool and deliver; and the agent's tools.
            one_by_one: those of the tools whose calls run one after the other.
        """
        # One turn asks no human and calls no tool.
        invoked = called if spec.pattern == "loop" else called.leave_out("await_human").leave_out("run_tool")
        super().__init__(scope, name, stage=stage, title=spec.machine, called=invoked)
        if spec.pattern == "loop":
            grant_continue(self.role, stage=stage, machine=spec.machine)
        text = Stack.of(self).to_json_string(_build_definition(spec, called, one_by_one))
        express = spec.pattern == "reply"
        kind = sfn.StateMachineType.EXPRESS if express else sfn.StateMachineType.STANDARD
        self.publish(sfn.DefinitionBody.from_string(text), kind=kind)


def _build_definition(spec: AgentSpec, called: Called, one_by_one: Sequence[str]) -> State:
    seconds = {name: _get_timeout_seconds(one) for name, one in called.functions.items()}
    versions = called.function_versions
    body = build_definition(
        spec,
        recall=versions["recall"],
        think=versions["think"],
        await_human=versions["await_human"],
        deliver=versions["deliver"],
        run_tool=versions["run_tool"],
        tools=called.tool_versions,
        seconds=seconds,
        one_by_one=one_by_one,
    )
    return body if spec.pattern == "loop" else build_reply_definition(body)


def _get_timeout_seconds(function: lambda_.Function) -> int:
    timeout = function.timeout
    if timeout is None:
        raise ValueError(f"the function '{function.node.path}' has no timeout: give its options timeout_seconds")
    return int(timeout.to_seconds())
