"""Notices to humans: events of the bus -> queue -> functions.orchestration.notify -> SNS, Slack, email."""

import json

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_events as events
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
from pentad.orchestration.approvals.notices import ANY_GROUP, EVENTS
from pentad.orchestration.runs.ports import SOURCE

_PAGE = "docs/orchestration/humans.md"
_SECONDS = 30
_RECEIVES = 8
"""With the waits that double between them, a channel may be out of order for about four minutes."""


class Notices(Construct):
    """The topic, the secret with Slack's webhooks, and the function that sends.

    Attributes:
        topic: every notice goes to it.
        secret: ``{default?: address, GROUP?: address}``, filled by the operator.
        work: the queue of events to tell; its dead-letter queue holds notices that a channel did not take.
    """

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: events.EventBus, api_url: str) -> None:
        """Make them.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            bus: where the events are.
            api_url: the API's address, for links where the stage names nothing else.
        """
        super().__init__(scope, name)
        self._build = build
        self.work = WorkQueue(self, "notices", build=build, timeout_seconds=_SECONDS, receives=_RECEIVES)
        self.work.add_rule(
            "announced",
            rule="approval-notices",
            description="What humans are told of approvals",
            pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[f"{EVENTS}{event}" for event in ("requested", "reminded", "escalated", "decided")],
            ),
            bus=bus,
        )
        self.topic = sns.Topic(
            self,
            "topic",
            topic_name=f"{build.stage.prefix}-notices",
            display_name="Pentad notices",
            master_key=build.stores.data_key,
            enforce_ssl=True,
        )
        self.secret = self._create_secret()
        self._create_alarm()
        self._create_function(build.stage.notices.link or f"{api_url}/v1/approvals")
        CfnOutput(self, "topic-arn", value=self.topic.topic_arn).override_logical_id("NoticeTopic")
        CfnOutput(self, "slack-secret", value=self.secret.secret_name).override_logical_id("SlackSecret")

    def _create_alarm(self) -> None:
        prefix = self._build.stage.prefix
        says = f"A channel did not take notices: they are in {prefix}-notices-dlq"
        self.work.create_alarm("undelivered", alarm="notices-undelivered", says=says, page=_PAGE)

    def _create_secret(self) -> secretsmanager.Secret:
        return create_operator_secret(
            self,
            "slack",
            build=self._build,
            name="slack",
            description='Slack\'s incoming webhooks by group: JSON {"default": "https://hooks.slack.com/..."}',
            why_fixed=f"AWS cannot rotate a webhook: Slack's console issues it. {_PAGE} says how to change it.",
        )

    def _create_function(self, link: str) -> None:
        build = self._build
        options = FunctionOptions(
            name="notify",
            module="functions.orchestration.notify",
            environment=self._build_environment(link),
            timeout_seconds=_SECONDS,
            description="Tells humans that something waits for them",
        )
        made = build.create_function(self, options)
        # One event an invocation: one channel that hangs must not use up another event's time.
        self.work.connect_to(made.function, batch_size=1, concurrency=2)
        log = build.stores.transient_table
        grants.grant_table(made.role, log, ["dynamodb:UpdateItem"], keys=[keys.notice_pattern()])
        grants.grant_secret(made.role, self.secret)
        made.role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))
        topic = {"aws:sns:topicArn": self.topic.topic_arn}
        grants.grant_key_through(made.role, build.stores.data_key, "sns", context=topic)
        sender = build.stage.notices.email_from
        if sender is not None:
            self._grant_email(made.role, sender)

    def _build_environment(self, link: str) -> dict[str, str]:
        notices = self._build.stage.notices
        receivers = {group: list(one.email) for group, one in notices.groups.items() if one.email}
        channels = {group: list(one.list_enabled()) for group, one in notices.groups.items()}
        environment = {
            "TRANSIENT_TABLE": self._build.stores.transient_table.table_name,
            "NOTICE_GROUPS": json.dumps({ANY_GROUP: ["topic"]} | channels, sort_keys=True),
            "NOTICE_LINK": link,
            "NOTICE_TOPIC": self.topic.topic_arn,
            "SLACK_SECRET": self.secret.secret_arn,
        }
        if notices.email_from is None:
            return environment
        return environment | {"EMAIL_FROM": notices.email_from, "EMAIL_TO": json.dumps(receivers, sort_keys=True)}

    def _grant_email(self, role: iam.Role, sender: str) -> None:
        """Let the function send as the one sender, whether its address or its domain is the verified identity."""
        identities = [
            Stack.of(self).format_arn(
                service="ses",
                resource="identity",
                resource_name=name,
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )
            for name in (sender, sender.rpartition("@")[2])
        ]
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ses:SendEmail"],
                resources=identities,
                conditions={"StringEquals": {"ses:FromAddress": sender}},
            )
        )
