"""What lets a state machine go on in executions of itself and wait for them (``startExecution.sync:2``)."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.components.reasons import acknowledge
from infra.config import Stage
from infra.orchestration.names import execution_arns, machine_arn, machine_name_of

NESTED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The managed rule by which Step Functions learns that a nested execution has ended.

Source: "IAM policies for nested executions" of the Step Functions developer guide.
"""


def grant_continue(role: iam.Role, *, stage: Stage, agent: str) -> None:
    """Let a machine's role start and follow executions of this machine in any version: a long run's next part.

    Args:
        role: the machine's role.
        stage: the stage.
        agent: whose machine it is.
    """
    rule = Stack.of(role).format_arn(service="events", resource="rule", resource_name=NESTED_RULE)
    for actions, resource in (
        (["states:StartExecution"], machine_arn(role, stage, agent)),
        (["states:DescribeExecution", "states:StopExecution"], execution_arns(role, stage, agent)),
        (["events:PutTargets", "events:PutRule", "events:DescribeRule"], rule),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:"
        f"execution:{machine_name_of(stage, agent)}:*]",
        "Executions of one agent: their names are the runs' ids.",
    )
