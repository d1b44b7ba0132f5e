"""Anchors of the audit: a schedule, and a function that may put them and not take them away."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from pentad.domain import keys
from pentad.observability.anchors.anchor import PREFIX
from pentad.observability.metrics import names

_SECONDS = 300
_PAGE = "docs/runbooks/audit-not-anchored.md"


class Anchors(FunctionConstruct):
    """The function that anchors the audit, its schedule, and an alarm where nothing was anchored for three hours."""

    def __init__(self, scope: Construct, name: str, *, build: Build) -> None:
        super().__init__(scope, name, build=build, options=_build_options(build))
        stage, stores = build.stage, build.stores
        events.Rule(
            self,
            "schedule",
            rule_name=f"{stage.prefix}-anchor",
            description="Anchors the audit",
            schedule=events.Schedule.expression(stage.anchor_schedule),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    event=events.RuleTargetInput.from_object({"op": "anchor"}),
                    # The next one goes on from where the last was anchored.
                    retry_attempts=2,
                    max_event_age=Duration.hours(1),
                )
            ],
        )
        # The ends of chains from the index; no entry, and nothing else of the ledger.
        grants.grant_table(self.role, stores.ledger_table, (), index="gsi1", keys=[keys.heads_pattern()])
        grants.grant_key(self.role, stores.audit_key, ("kms:GenerateMac",))
        grants.grant_objects(self.role, stores.anchor_bucket, ["s3:GetObject", "s3:PutObject"], prefix=PREFIX)
        grants.grant_bucket(self.role, stores.anchor_bucket, ["s3:ListBucket"])
        cloudwatch.Alarm(
            self,
            "missing",
            alarm_name=f"{stage.prefix}-anchors-missing",
            alarm_description=f"The audit was not anchored for three hours. What to do: {_PAGE}",
            metric=cloudwatch.Metric(
                namespace=names.NAMESPACE,
                metric_name=names.AUDIT_ANCHORS,
                dimensions_map={"stage": stage.name},
                statistic="Sum",
                period=Duration.hours(1),
            ),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )


def _build_options(build: Build) -> FunctionOptions:
    stores = build.stores
    return FunctionOptions(
        name="anchor",
        module="functions.observability.anchor",
        environment={
            "LEDGER_TABLE": stores.ledger_table.table_name,
            "AUDIT_KEY": stores.audit_key.key_arn,
            "ANCHOR_BUCKET": stores.anchor_bucket.bucket_name,
        },
        timeout_seconds=_SECONDS,
        memory_mb=512,
        description="Anchors the audit: the ends of its chains go into a bucket under Object Lock",
    )
