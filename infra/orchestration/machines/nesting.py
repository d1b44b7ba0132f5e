"""What lets a state machine start executions and wait for their ends: of itself, of a workflow's agents."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.components.build import Build
from infra.config import Stage
from infra.orchestration.grants import acknowledge_executions, build_start_statement, grant_describe
from infra.orchestration.names import execution_arns, machine_arn
from pentad.domain.declarations.agents import AgentSpec

NESTED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The managed rule by which Step Functions learns that a nested execution has ended.

Source: "IAM policies for nested executions" of the Step Functions developer guide.
"""


def grant_continue(role: iam.Role, *, stage: Stage, machine: str) -> None:
    """Let a machine's role start and follow executions of this machine in any version: a long run's next part.

    Args:
        role: the machine's role.
        stage: the stage.
        machine: the machine's name without the stage's prefix.
    """
    for actions, resource in (
        (["states:StartExecution"], machine_arn(role, stage, machine)),
        (["states:DescribeExecution", "states:StopExecution"], execution_arns(role, stage, machine)),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    _grant_nested_rule(role)
    acknowledge_executions(role, stage, machine)


def grant_agents(role: iam.Role, build: Build, agents: Sequence[AgentSpec]) -> None:
    """Let a machine's role start agents and wait for them, and no others.

    Args:
        role: the machine's role.
        build: the surroundings.
        agents: loops, which it looks at and stops as well; replies, whose start is answered with their end.
    """
    replies = [machine_arn(role, build.stage, agent.machine) for agent in agents if agent.pattern == "reply"]
    if replies:
        role.add_to_policy(build_start_statement(replies, action="states:StartSyncExecution"))
    loops = [agent.machine for agent in agents if agent.pattern == "loop"]
    if loops:
        role.add_to_policy(build_start_statement([machine_arn(role, build.stage, machine) for machine in loops]))
        grant_describe(role, build, loops, ("states:DescribeExecution", "states:StopExecution"))
        _grant_nested_rule(role)


def _grant_nested_rule(role: iam.Role) -> None:
    rule = Stack.of(role).format_arn(service="events", resource="rule", resource_name=NESTED_RULE)
    actions = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[rule]))
