"""The drill: every link of every chain is exercised once a day, and a link that does not answer raises an alarm."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import Stage
from infra.models.catalog import Models
from pentad.observability.metrics import names

_RUNBOOK = "docs/runbooks/broken-link.md"


class Drill(Construct):
    """The schedule, an alarm for each model that stands in a chain, and one for a drill that did not run.

    The schedule invokes the gateway itself: it alone may read the providers' secrets, so a function of the drill's own
    could do nothing but invoke it. It invokes the alias, as runs do: what is exercised is what is used, and a snapshot
    that is used every day is not dropped.
    """

    def __init__(
        self, scope: Construct, name: str, *, stage: Stage, models: Models, gateway: lambda_.IFunction
    ) -> None:
        super().__init__(scope, name)
        events.Rule(
            self,
            "schedule",
            rule_name=f"{stage.prefix}-drill",
            description="Exercises every link of every chain of models",
            schedule=events.Schedule.expression(stage.drill_schedule),
            targets=[
                targets.LambdaFunction(
                    gateway,
                    event=events.RuleTargetInput.from_object({"op": "drill"}),
                    # A drill that failed is told by its alarm; one that comes hours late tells nothing.
                    retry_attempts=1,
                    max_event_age=Duration.hours(1),
                )
            ],
        )
        for model in models.catalog.used_models:
            self._create_link_alarm(stage, model.provider, model.name)
        self._create_missing_alarm(stage)

    def _create_link_alarm(self, stage: Stage, provider: str, model: str) -> None:
        """One drill decides: missing data is ignored, so the state stands until the next drill says otherwise."""
        cloudwatch.Alarm(
            self,
            f"link-{provider}-{model}",
            alarm_name=f"{stage.prefix}-link-{provider}-{model}",
            alarm_description=f"{model} of {provider} did not answer the drill. What to do: {_RUNBOOK}",
            metric=_build_metric(
                stage, names.DRILL_LINK, "Minimum", Duration.minutes(5), provider=provider, model=model
            ),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _create_missing_alarm(self, stage: Stage) -> None:
        """30 hours without a drill is a broken drill: here, missing data is what is looked for."""
        cloudwatch.Alarm(
            self,
            "missing",
            alarm_name=f"{stage.prefix}-drill-missing",
            alarm_description=f"No drill has run for 30 hours: fallbacks are untested. What to do: {_RUNBOOK}",
            metric=_build_metric(stage, names.DRILLS, "Sum", Duration.hours(6)),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
            evaluation_periods=5,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )


def _build_metric(stage: Stage, name: str, statistic: str, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    every: Mapping[str, str] = {"stage": stage.name, **dimensions}
    return cloudwatch.Metric(
        namespace=names.NAMESPACE,
        metric_name=name,
        dimensions_map=every,
        statistic=statistic,
        period=period,
    )
