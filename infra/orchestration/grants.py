"""Grants that are about runs: start them, follow their executions."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from infra.components import grants
from infra.components.build import Build
from infra.components.reasons import acknowledge
from infra.components.run_grants import grant_payloads, grant_run_items, grant_switches
from infra.config import Stage
from infra.orchestration.names import execution_arns, machine_name_of
from pentad.domain import keys
from pentad.orchestration.runs.ports import MACHINE_ALIAS


def grant_start(role: iam.Role, build: Build, machines: Sequence[str]) -> None:
    """Let a role start runs: the transaction in the tables, then the execution.

    Args:
        role: who.
        build: the surroundings.
        machines: ARNs of the state machines.
    """
    stores = build.stores
    grant_run_items(role, stores)
    grant_switches(role, stores.transient_table)
    grants.grant_table(
        role, stores.transient_table, ["dynamodb:GetItem", *grants.WRITE, *grants.DELETE], keys=[keys.session_pattern()]
    )
    grant_payloads(role, stores)
    role.add_to_policy(build_start_statement(machines))


def grant_describe(
    role: iam.Role, build: Build, machines: Sequence[str], actions: Sequence[str] = ("states:DescribeExecution",)
) -> None:
    """Let a role look at the executions of state machines."""
    executions = [execution_arns(role, build.stage, machine) for machine in machines]
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=executions))
    for machine in machines:
        acknowledge_executions(role, build.stage, machine)


def acknowledge_executions(role: iam.Role, stage: Stage, machine: str) -> None:
    """Record why a role may act on every execution of a state machine."""
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:"
        f"execution:{machine_name_of(stage, machine)}:*]",
        "The names of an agent's executions are its runs' ids, which are made as runs start.",
    )


def build_start_statement(machines: Sequence[str], *, action: str = "states:StartExecution") -> iam.PolicyStatement:
    """Return what lets a role start executions of machines at their live alias, and nowhere else.

    IAM sees the machine's own ARN as the resource of a qualified start, and the alias as a condition key. Source:
    "Authorization for versions and aliases" of the Step Functions developer guide.

    Args:
        machines: ARNs of state machines, unqualified.
        action: ``states:StartSyncExecution`` for Express machines that are waited for.
    """
    return iam.PolicyStatement(
        actions=[action],
        resources=list(machines),
        conditions={"ForAnyValue:StringEquals": {"states:StateMachineQualifier": [MACHINE_ALIAS]}},
    )
