"""Names and ARNs of the state machines, known before the machines are made, so that grants need no order.

``machine`` is what `pentad.domain.declarations.agents.Catalog.find_machine` returns: ``agent-assistant``.
"""

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from infra.config import Stage
from pentad.orchestration.runs.ports import MACHINE_ALIAS


def machine_name_of(stage: Stage, machine: str) -> str:
    """Return the whole name of a state machine."""
    return f"{stage.prefix}-{machine}"


def machine_arn(scope: Construct, stage: Stage, machine: str) -> str:
    """Return the ARN of a state machine; with an empty name, what all of them begin with."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="stateMachine",
        resource_name=machine_name_of(stage, machine),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def execution_arns(scope: Construct, stage: Stage, machine: str) -> str:
    """Return the pattern of ARNs of a state machine's executions."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name_of(stage, machine)}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def alias_arn(machine: str) -> str:
    """Return the ARN that executions are started at.

    Args:
        machine: ARN of a state machine, unqualified.
    """
    return f"{machine}:{MACHINE_ALIAS}"
