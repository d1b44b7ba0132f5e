"""Names and ARNs of the agents' state machines, known before the machines are made, so that grants need no order."""

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from infra.config import Stage
from pentad.orchestration.runs.ports import MACHINE_ALIAS


def machine_name_of(stage: Stage, agent: str) -> str:
    """Return the name of an agent's state machine."""
    return f"{stage.prefix}-agent-{agent}"


def machine_arn(scope: Construct, stage: Stage, agent: str) -> str:
    """Return the ARN of an agent's state machine; with an empty name, what all of them begin with."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="stateMachine",
        resource_name=machine_name_of(stage, agent),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def execution_arns(scope: Construct, stage: Stage, agent: str) -> str:
    """Return the pattern of ARNs of an agent's executions."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name_of(stage, agent)}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def alias_arn(machine: str) -> str:
    """Return the ARN that executions are started at.

    Args:
        machine: ARN of a state machine, unqualified.
    """
    return f"{machine}:{MACHINE_ALIAS}"
