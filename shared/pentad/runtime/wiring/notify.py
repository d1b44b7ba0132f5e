"""The wiring of functions.orchestration.notify."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.aws.table import Table
from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
from pentad.orchestration.approvals.adapters.notify_email import EmailNotifier
from pentad.orchestration.approvals.adapters.notify_log import DynamoNotices
from pentad.orchestration.approvals.adapters.notify_slack import SlackNotifier
from pentad.orchestration.approvals.adapters.notify_sns import TopicNotifier
from pentad.orchestration.approvals.notices import Notify
from pentad.orchestration.approvals.ports import Notifier
from pentad.runtime.clock import now
from pentad.runtime.settings import NotifySettings, read_settings
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_notify() -> Notify:
    """Return what sends notices through the channels that the deployment has."""
    values = read_settings(NotifySettings)
    channels: dict[str, Notifier] = {
        "topic": TopicNotifier(get_client("sns"), values.notice_topic),
        # A twin's own Slack is a server on this machine; in an account only https reaches anything.
        "slack": SlackNotifier(
            SecretsManagerSecrets(get_client("secretsmanager")),
            values.slack_secret,
            loopback=values.aws_endpoint_url is not None,
        ),
    }
    if values.email_from is not None:
        channels["email"] = EmailNotifier(get_client("sesv2"), values.email_from, values.email_to)
    return Notify(
        channels,
        values.notice_groups,
        DynamoNotices(Table(get_client("dynamodb"), values.transient_table), now=now),
        telemetry_of("notify"),
        link_base=values.notice_link,
    )
