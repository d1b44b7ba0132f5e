"""The wiring of what asks humans, takes their decisions and tells them: a part of the bootstrap."""

from functools import cache
from typing import TYPE_CHECKING, Protocol

from pentad.runtime import bootstrap
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.observability.ports import Telemetry
    from pentad.orchestration.approvals.ask import Asking
    from pentad.orchestration.approvals.decide import Decide
    from pentad.orchestration.approvals.notices import Notifier, Notify
    from pentad.orchestration.approvals.ports import ApprovalStore
    from pentad.orchestration.runs.ports import EventPublisher, WorkflowEngine


class AsksHumans(Protocol):
    """The settings of a function that asks humans."""

    @property
    def approval_key(self) -> str:
        """ARN of the KMS key that encrypts task tokens."""
        ...

    @property
    def event_bus(self) -> str:
        """Name of the bus."""
        ...


@cache
def events(bus: str) -> "EventPublisher":
    """Return what publishes on a bus."""
    from pentad.aws.clients import client
    from pentad.orchestration.runs.adapters.events_eventbridge import EventBridge

    return EventBridge(client("events"), bus)


def asking(service: str, values: AsksHumans) -> "Asking":
    """Return what asks humans.

    Args:
        service: the function's name without the deployment's prefix.
        values: the function's settings.
    """
    from pentad.orchestration.approvals.ask import Asking

    return Asking(
        bootstrap.catalog(),
        bootstrap.runs(),
        bootstrap.sessions(),
        bootstrap.approvals(values.approval_key),
        # It wakes tasks by their tokens and starts nothing, so it needs no name of a state machine.
        bootstrap.engine(""),
        events(values.event_bus),
        bootstrap.telemetry(service),
        now=bootstrap.now,
    )


def decide(approvals: "ApprovalStore", engine: "WorkflowEngine", telemetry: "Telemetry", bus: str) -> "Decide":
    """Return what takes decisions."""
    from pentad.orchestration.approvals.decide import Decide

    return Decide(
        bootstrap.catalog(),
        bootstrap.runs(),
        bootstrap.sessions(),
        approvals,
        engine,
        events(bus),
        telemetry,
        now=bootstrap.now,
    )


@cache
def notify() -> "Notify":
    """Return the collaborator of functions.orchestration.notify."""
    from pentad.aws.clients import client
    from pentad.models.providers.adapters.secrets import SecretsManagerSecrets
    from pentad.orchestration.approvals.adapters.notify_email import EmailNotifier
    from pentad.orchestration.approvals.adapters.notify_log import DynamoNotices
    from pentad.orchestration.approvals.adapters.notify_slack import SlackNotifier
    from pentad.orchestration.approvals.adapters.notify_sns import TopicNotifier
    from pentad.orchestration.approvals.notices import Notify

    values = bootstrap.settings(environment.NotifySettings)
    channels: dict[str, Notifier] = {
        "topic": TopicNotifier(client("sns"), values.notice_topic),
        # A twin's own Slack is a server on this machine; in an account only https reaches anything.
        "slack": SlackNotifier(
            SecretsManagerSecrets(client("secretsmanager")),
            values.slack_secret,
            loopback=values.aws_endpoint_url is not None,
        ),
    }
    if values.email_from is not None:
        channels["email"] = EmailNotifier(client("sesv2"), values.email_from, values.email_to)
    return Notify(
        channels,
        values.notice_groups,
        DynamoNotices(bootstrap.table(values.transient_table), now=bootstrap.now),
        bootstrap.telemetry("notify"),
        link_base=values.notice_link,
    )
