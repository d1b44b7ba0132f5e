"""Where alerts go, which hosts each may be at, and what is sent there. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from pentad.domain.display.pages import escape_slack
from pentad.domain.values import FrozenValue
from pentad.observability.alerts.alert import Alert

AlertKind = Literal["slack", "teams", "webhook"]
HOSTS: Mapping[AlertKind, tuple[str, ...]] = {
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    # Workflows of Power Automate, before and after their move of 2025, and the connectors of Office 365.
    "teams": (
        "*.logic.azure.com",
        "*.environment.api.powerplatform.com",
        "*.webhook.office.com",
    ),
    "webhook": (),
}
"""At which hosts a service's webhooks are."""


class AlertTarget(FrozenValue):
    """One receiver of alerts, by the name that its address has in the secret.

    ``host`` is of a webhook only: the one host that its address may have.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    kind: AlertKind
    host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")

    @model_validator(mode="after")
    def _check_host(self) -> "AlertTarget":
        if (self.kind == "webhook") is not (self.host is not None):
            raise ValueError("a webhook has a host, the one of its address; slack and teams have theirs")
        return self

    @property
    def hosts(self) -> Sequence[str]:
        """The entries of its allowlist."""
        return HOSTS[self.kind] if self.host is None else (self.host,)


def build_body(kind: AlertKind, alert: Alert, runbook: str) -> dict[str, Any]:
    """Return what is posted, as the kind of target has it.

    Args:
        kind: of the target.
        alert: what is told.
        runbook: the link to its runbook, or its place in the project.
    """
    if kind == "slack":
        text = escape_slack("\n".join(_list_lines(alert, runbook)))
        return {"text": text, "mrkdwn": False, "link_names": False, "unfurl_links": False, "unfurl_media": False}
    if kind == "teams":
        return _build_card(alert, runbook)
    return {**alert.model_dump(mode="json", exclude={"alert_id"}), "id": alert.alert_id, "runbook": runbook}


def _list_lines(alert: Alert, runbook: str) -> list[str]:
    lines = (
        alert.headline,
        alert.says,
        alert.reason and f"Why: {alert.reason}",
        runbook and f"Runbook: {runbook}",
        alert.console and f"Alarm: {alert.console}",
        alert.at and f"At: {alert.at}",
    )
    return [line for line in lines if line]


def _build_card(alert: Alert, runbook: str) -> dict[str, Any]:
    """Return an Adaptive Card in the envelope that Teams' webhooks take.

    Its text stands in runs of text, which know no markup: a link or a mention in a reason stays text.
    """
    head, *rest = _list_lines(alert, runbook)
    lines = [
        _write_line(head, weight="Bolder", color="Good" if alert.state == "OK" else "Attention"),
        *map(_write_line, rest),
    ]
    links = {"Runbook": runbook, "Alarm": alert.console}
    actions = [
        {"type": "Action.OpenUrl", "title": title, "url": url}
        for title, url in links.items()
        if url.startswith("https://")
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _write_line(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
