"""What each kind of target is sent, and at which hosts it may be."""

import json

import pytest
from pydantic import ValidationError

from pentad.observability.alerts.alert import read_alert
from pentad.observability.alerts.targets import AlertTarget, build_body
from tests.unit.observability.alerts.test_alert import CHANGE, envelope

HOSTILE = "<!channel> [click](https://evil.example) <at>all</at> **now**"
ALERT = read_alert(envelope(CHANGE | {"NewStateReason": HOSTILE}))
LINK = "https://example.com/docs/runbooks/models-unreachable.md"


def test_slack_gets_plain_text_that_mentions_nobody() -> None:
    body = build_body("slack", ALERT, LINK)
    assert "&lt;!channel&gt;" in body["text"] and "<" not in body["text"]
    assert f"Runbook: {LINK}" in body["text"]
    assert body.items() >= {"mrkdwn": False, "link_names": False, "unfurl_links": False}.items()


def test_teams_gets_a_card_whose_text_knows_no_markup() -> None:
    [attachment] = build_body("teams", ALERT, LINK)["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert f"Why: {HOSTILE}" in [run["text"] for run in runs]
    assert {action["title"]: action["url"] for action in card["actions"]}["Runbook"] == LINK
    assert len(json.dumps(card)) < 28_000


def test_a_place_that_is_no_address_is_no_button() -> None:
    [attachment] = build_body("teams", ALERT, "docs/runbooks/models-unreachable.md")["attachments"]
    assert [action["title"] for action in attachment["content"]["actions"]] == ["Alarm"]


def test_a_webhook_gets_the_alert_as_fields() -> None:
    body = build_body("webhook", ALERT, LINK)
    assert body["id"] == ALERT.alert_id
    assert (body["severity"], body["name"], body["state"], body["was"]) == (
        "page",
        "pentad-prod-page-models",
        "ALARM",
        "OK",
    )
    assert body["runbook"] == LINK


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a", "kind": "pager"},
        {"name": "A b", "kind": "slack"},
        {"name": "a", "kind": "webhook"},
        {"name": "a", "kind": "slack", "host": "evil.example"},
        {"name": "a", "kind": "webhook", "host": "https://x.example/y"},
        {"name": "a", "kind": "slack", "url": "https://hooks.slack.com/services/T/B/secret"},
    ],
)
def test_a_target_that_is_not_well_formed_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AlertTarget.model_validate(values)
