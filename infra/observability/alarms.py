"""Alarms of a stage: the table as CloudWatch alarms, the topics that they tell, and an action for every other alarm.

They are in a nested stack of their own, by names alone: nothing in it holds up a change of what it watches.
"""

from collections.abc import Sequence

from aws_cdk import ArnFormat, CfnOutput, NestedStack, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.components.build import Build
from infra.config import Stage
from infra.observability.alerting import Alerting
from infra.observability.dashboard import create_dashboard
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec, PageSpec, Severity
from pentad.observability.alarms.table import PAGES, TICKETS, build_alarms, list_parts
from pentad.observability.metrics.names import NAMESPACE

RUNBOOKS = "docs/runbooks"
_WAIT_SECONDS, _EXTENSION_SECONDS = 180, 120
"""A symptom may be seen before its cause, and ends after it: alarms are evaluated once a minute, over minutes."""
_COMPARISONS = {
    ">=": "GreaterThanOrEqualToThreshold",
    ">": "GreaterThanThreshold",
    "<": "LessThanThreshold",
    "above its band": "GreaterThanUpperThreshold",
}
_OF_TOPICS: dict[Severity, str] = {"page": "pages", "ticket": "tickets"}


class Alarms(NestedStack):
    """The table's alarms, what pages, and the two topics.

    Attributes:
        topics: by severity.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, api_id: str) -> None:
        """Make them.

        Args:
            scope: the agent stack.
            name: the construct's id.
            build: the surroundings.
            api_id: the HTTP API's id.
        """
        super().__init__(scope, name, description="Pentad: alarms")
        self._stage = build.stage
        self.topics = {severity: self._create_topic(severity, build) for severity in _OF_TOPICS}
        alarms = build_alarms(build.stage.alerts.limits, api_id=api_id)
        parts = list_parts()
        made: dict[str, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm] = {
            one.name: self._create_alarm(one, tells=one.name not in parts) for one in alarms
        }
        pages = {name for one in PAGES for name in one.any_of}
        for one in (*PAGES, *TICKETS):
            told: Severity = "page" if one in PAGES else "ticket"
            severity = None if one.name in pages else told
            made[one.name] = self._create_composite(one, severity, made)
        if build.stage.alerts.has_targets:
            Alerting(self, "alerting", build=build, topics=self.topics)
        create_dashboard(self, "dashboard", stage=build.stage, alarms=list(made))
        for severity, topic in self.topics.items():
            CfnOutput(self, f"{severity}-topic", value=topic.topic_arn)

    def _create_topic(self, severity: Severity, build: Build) -> sns.Topic:
        topic = sns.Topic(
            self,
            _OF_TOPICS[severity],
            topic_name=f"{self._stage.prefix}-{_OF_TOPICS[severity]}",
            display_name=f"Pentad {_OF_TOPICS[severity]}",
            master_key=build.stores.data_key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        for number, receiver in enumerate(self._stage.alerts.find_receivers(severity)):
            sns.Subscription(
                self,
                f"{severity}-{number}",
                topic=topic,
                endpoint=receiver,
                protocol=sns.SubscriptionProtocol.HTTPS if "://" in receiver else sns.SubscriptionProtocol.EMAIL,
            )
        return topic

    def _create_alarm(self, spec: AlarmSpec, *, tells: bool) -> cloudwatch.CfnAlarm:
        topic = [self.topics[spec.severity].topic_arn] if tells else []
        banded = spec.comparison == "above its band"
        return cloudwatch.CfnAlarm(
            self,
            spec.name,
            alarm_name=f"{self._stage.prefix}-{spec.name}",
            alarm_description=_describe(spec.says, spec.runbook),
            metrics=_build_metrics(spec, self._stage),
            threshold=None if banded else spec.threshold,
            threshold_metric_id="band" if banded else None,
            comparison_operator=_COMPARISONS[spec.comparison],
            evaluation_periods=spec.periods,
            datapoints_to_alarm=spec.to_alarm,
            treat_missing_data=spec.missing,
            alarm_actions=topic,
            ok_actions=topic,
        )

    def _create_composite(
        self,
        spec: PageSpec,
        severity: Severity | None,
        made: dict[str, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm],
    ) -> cloudwatch.CfnCompositeAlarm:
        prefix = self._stage.prefix
        topic = [] if severity is None else [self.topics[severity].topic_arn]
        suppressor = self._create_suppressor(spec, made) if spec.suppressed_by else None
        alarm = cloudwatch.CfnCompositeAlarm(
            self,
            spec.name,
            alarm_name=f"{prefix}-{spec.name}",
            alarm_description=_describe(spec.says, spec.runbook),
            alarm_rule=(
                _build_rule(prefix, spec.any_of, " OR ") if spec.any_of else _build_rule(prefix, spec.all_of, " AND ")
            ),
            actions_suppressor=suppressor,
            actions_suppressor_wait_period=_WAIT_SECONDS if suppressor else None,
            actions_suppressor_extension_period=_EXTENSION_SECONDS if suppressor else None,
            alarm_actions=topic,
            ok_actions=topic,
        )
        # CloudWatch takes no rule over an alarm that is not there yet.
        for name in (*spec.any_of, *spec.all_of, *spec.suppressed_by):
            alarm.add_resource_dependency(made[name])
        if f"{spec.name}-causes" in made:
            alarm.add_resource_dependency(made[f"{spec.name}-causes"])
        return alarm

    def _create_suppressor(
        self, spec: PageSpec, made: dict[str, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm]
    ) -> str:
        """Return the name of the one alarm that keeps a page back: a composite of them where there are several."""
        prefix = self._stage.prefix
        if len(spec.suppressed_by) == 1:
            return f"{prefix}-{spec.suppressed_by[0]}"
        name = f"{spec.name}-causes"
        causes = cloudwatch.CfnCompositeAlarm(
            self,
            name,
            alarm_name=f"{prefix}-{name}",
            alarm_description=f"A cause of {prefix}-{spec.name} is on: it alone pages",
            alarm_rule=_build_rule(prefix, spec.suppressed_by, " OR "),
        )
        for one in spec.suppressed_by:
            causes.add_resource_dependency(made[one])
        made[name] = causes
        return f"{prefix}-{name}"


def give_actions(stack: Stack, stage: Stage) -> None:
    """Let every metric alarm of a stack that tells nobody open a ticket.

    Args:
        stack: the agent stack, when all else in it is made.
        stage: the stage.
    """
    arn = stack.format_arn(
        service="sns", resource=f"{stage.prefix}-{_OF_TOPICS['ticket']}", arn_format=ArnFormat.NO_RESOURCE_NAME
    )
    # By name: the nested stack with the topic may come after them.
    action = actions.SnsAction(sns.Topic.from_topic_arn(stack, "tickets-by-name", arn))
    for one in stack.node.find_all():
        if isinstance(one, cloudwatch.Alarm):
            one.add_alarm_action(action)
            one.add_ok_action(action)


def _describe(says: str, runbook: str) -> str:
    return f"{says}. What to do: {RUNBOOKS}/{runbook}.md"


def _build_rule(prefix: str, members: Sequence[str], word: str) -> str:
    return word.join(f'ALARM("{prefix}-{name}")' for name in members)


def _build_metrics(spec: AlarmSpec, stage: Stage) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    banded = spec.comparison == "above its band"
    plain = not spec.expression
    queries = [
        cloudwatch.CfnAlarm.MetricDataQueryProperty(
            id=query_id,
            metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                metric=build_metric(signal, stage), period=spec.minutes * 60, stat=signal.statistic
            ),
            return_data=plain,
        )
        for query_id, signal in spec.signals.items()
    ]
    if spec.expression:
        queries.append(
            cloudwatch.CfnAlarm.MetricDataQueryProperty(
                id="judged", expression=spec.expression, label=spec.says, return_data=True
            )
        )
    if banded:
        [query_id] = spec.signals
        queries.append(
            cloudwatch.CfnAlarm.MetricDataQueryProperty(
                id="band",
                expression=f"ANOMALY_DETECTION_BAND({query_id}, {spec.threshold:g})",
                label="usual",
                return_data=True,
            )
        )
    return queries


def build_metric(signal: AlarmMetric, stage: Stage) -> cloudwatch.CfnAlarm.MetricProperty:
    """Return a metric of the table as CloudFormation has it."""
    where = list_dimensions(signal, stage)
    return cloudwatch.CfnAlarm.MetricProperty(
        namespace=signal.namespace,
        metric_name=signal.metric,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in sorted(where.items())
        ],
    )


def list_dimensions(signal: AlarmMetric, stage: Stage) -> dict[str, str]:
    """Return a metric's dimensions: the stage of ours; names behind the stage's prefix of queues and functions."""
    if signal.namespace == NAMESPACE:
        return {"stage": stage.name, **signal.where}
    named = ("QueueName", "FunctionName")
    return {name: f"{stage.prefix}-{value}" if name in named else value for name, value in signal.where.items()}
