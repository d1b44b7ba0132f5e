"""Versions of a state machine: each deployment publishes one, and the alias that runs are started at moves to it.

CloudFormation moves the alias by itself (`DeploymentPreference`); docs/orchestration/versions.md says why CodeDeploy
has no part in it.
"""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Stage
from pentad.orchestration.runs.ports import MACHINE_ALIAS

_FEWEST_FAILURES = 3
"""Fewer failures than this within five minutes are no trend, whatever share of the executions they are."""


class LiveAlias(Construct):
    """The newest version of a state machine, and the alias ``live`` that leads to it.

    Attributes:
        alias_arn: where executions are started.
        version_arn: the version published by this deployment.
        alarm: goes off where too many executions fail; a gradual rollout then rolls back.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, machine: sfn.StateMachine, label: str) -> None:
        """Publish a machine.

        Args:
            scope: the parent.
            name: the construct's id.
            stage: says how the alias moves.
            machine: the machine.
            label: the machine's name, for the alarm.
        """
        super().__init__(scope, name)
        plain = machine.node.default_child
        assert isinstance(plain, sfn.CfnStateMachine)  # noqa: S101 - narrows jsii's type
        version = sfn.CfnStateMachineVersion(
            self,
            "version",
            state_machine_arn=machine.state_machine_arn,
            # A change of definition or role makes a new revision, and that replaces this resource: a new version.
            state_machine_revision_id=plain.attr_state_machine_revision_id,
        )
        # Runs may go on with an old version for as long as a human takes to answer; and a rollback needs it.
        version.apply_removal_policy(RemovalPolicy.RETAIN)
        self.alarm = self._create_alarm(stage, machine, label)
        gradual = stage.rollout.kind != "ALL_AT_ONCE"
        alias = sfn.CfnStateMachineAlias(
            self,
            "alias",
            name=MACHINE_ALIAS,
            description="Where every run is started",
            deployment_preference=sfn.CfnStateMachineAlias.DeploymentPreferenceProperty(
                state_machine_version_arn=version.attr_arn,
                type=stage.rollout.kind,
                percentage=stage.rollout.percentage,
                interval=stage.rollout.minutes,
                alarms=[self.alarm.alarm_name] if gradual else None,
            ),
        )
        self.version_arn: str = version.attr_arn
        self.alias_arn: str = alias.attr_arn

    def _create_alarm(self, stage: Stage, machine: sfn.StateMachine, label: str) -> cloudwatch.Alarm:
        def build_metric(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/States",
                metric_name=name,
                dimensions_map={"StateMachineArn": machine.state_machine_arn, "Alias": MACHINE_ALIAS},
                statistic="Sum",
                period=Duration.minutes(5),
            )

        failed = "(FILL(failed, 0) + FILL(timed_out, 0))"
        return cloudwatch.Alarm(
            self,
            "failures",
            alarm_name=f"{label}-failures",
            alarm_description=f"Executions of {label} fail; a rollout under way rolls back",
            metric=cloudwatch.MathExpression(
                expression=f"IF({failed} >= {_FEWEST_FAILURES}, 100 * {failed} / ({failed} + FILL(succeeded, 0)), 0)",
                using_metrics={
                    "failed": build_metric("ExecutionsFailed"),
                    "timed_out": build_metric("ExecutionsTimedOut"),
                    "succeeded": build_metric("ExecutionsSucceeded"),
                },
                label="failed executions in percent",
                period=Duration.minutes(5),
            ),
            threshold=stage.rollout.failed_percent,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
