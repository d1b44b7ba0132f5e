"""Alerts to Slack, Teams and webhooks: the topics of alarms -> queue -> functions.observability.alert.

Nothing of it is there in a stage that names no such target.
"""

import json
from collections.abc import Mapping

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.components.function import FunctionOptions
from infra.components.operator_secret import create_operator_secret
from infra.components.work_queue import WorkQueue
from pentad.domain import keys
from pentad.observability.alarms.specs import Severity

_PAGE = "docs/layers/observability.md"
_SECONDS = 60
_RECEIVES = 12
"""With waits that double up to five minutes, a target may be down for about twenty minutes."""


class Alerting(Construct):
    """The queue behind the topics, the secret with the targets' addresses, and the function that tells them.

    Attributes:
        work: the queue of messages; its dead-letter queue holds those that a target did not take.
        secret: ``{TARGET: address or {url, headers?}}``, filled by the operator.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, topics: Mapping[Severity, sns.Topic]) -> None:
        """Make them.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings; its stage has one target at least.
            topics: of the alarms, by severity.
        """
        super().__init__(scope, name)
        self._build = build
        self.work = WorkQueue(self, "alerts", build=build, timeout_seconds=_SECONDS, receives=_RECEIVES)
        self.secret = self._create_secret()
        for severity, topic in topics.items():
            if build.stage.alerts.find_targets(severity):
                self._subscribe(severity, topic)
        self._create_function()
        says = f"A target of alerts did not take them: they are in {build.stage.prefix}-alerts-dlq"
        self.work.create_alarm("undelivered", alarm="alerts-undelivered", says=says, page=_PAGE)
        CfnOutput(self, "alerts-secret", value=self.secret.secret_name)

    def _create_secret(self) -> secretsmanager.Secret:
        return create_operator_secret(
            self,
            "secret",
            build=self._build,
            name="alerts",
            description='Webhooks of alerts by target: JSON {"TARGET": "https://hooks.slack.com/..."}',
            why_fixed=f"AWS cannot rotate a webhook: the service it leads to issues it. {_PAGE} says how to change it.",
        )

    def _subscribe(self, severity: Severity, topic: sns.Topic) -> None:
        """Let what is published to a topic come into the queue. CDK's own subscription would grant all of the key."""
        queue = self.work.queue
        allowed = queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        made = sns.Subscription(
            self, severity, topic=topic, endpoint=queue.queue_arn, protocol=sns.SubscriptionProtocol.SQS
        )
        if allowed.policy_dependable is not None:
            made.node.add_dependency(allowed.policy_dependable)

    def _create_function(self) -> None:
        build, alerts = self._build, self._build.stage.alerts
        severities: tuple[Severity, ...] = ("page", "ticket")
        targets = {
            severity: [one.model_dump(exclude_none=True) for one in alerts.find_targets(severity)]
            for severity in severities
        }
        options = FunctionOptions(
            name="alert",
            module="functions.observability.alert",
            environment={
                "TRANSIENT_TABLE": build.stores.transient_table.table_name,
                "ALERT_TARGETS": json.dumps(targets, sort_keys=True, separators=(",", ":")),
                "ALERTS_SECRET": self.secret.secret_arn,
                "ALERT_LINK": alerts.link or "",
            },
            timeout_seconds=_SECONDS,
            description="Tells alarms to Slack, Teams and webhooks",
        )
        made = build.create_function(self, options)
        # One message an invocation: a target that hangs must not use up another message's time.
        self.work.connect_to(made.function, batch_size=1, concurrency=2)
        sent = [keys.alert_pattern()]
        grants.grant_table(made.role, build.stores.transient_table, ["dynamodb:UpdateItem"], keys=sent)
        grants.grant_secret(made.role, self.secret)
