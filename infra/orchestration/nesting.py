"""What lets a state machine start executions and wait for them (``startExecution.sync:2``)."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.components.reasons import acknowledge
from infra.config import Stage
from infra.orchestration.names import execution_arns, machine_arn, machine_name_of

_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The managed rule by which Step Functions learns that a nested execution has ended (its developer guide names it)."""


def grant_continue(role: iam.Role, *, stage: Stage, name: str) -> None:
    """Let a machine's role start and follow executions of this machine, in whatever version: a long run's next part.

    Args:
        role: the machine's role.
        stage: the stage.
        name: the agent.
    """
    executions = execution_arns(role, stage, name)
    role.add_to_policy(
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine_arn(role, stage, name)])
    )
    role.add_to_policy(
        iam.PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions])
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            resources=[Stack.of(role).format_arn(service="events", resource="rule", resource_name=_RULE)],
        )
    )
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:"
        f"execution:{machine_name_of(stage, name)}:*]",
        "Executions of one agent: their names are the runs' ids.",
    )
