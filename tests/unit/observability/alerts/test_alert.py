"""What is read of a message of a topic of alarms."""

import json
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.observability.alerts.alert import read_alert

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:pentad-prod-page-models"
CHANGE = {
    "AlarmName": "pentad-prod-page-models",
    "AlarmDescription": "No model can be reached. What to do: docs/runbooks/models-unreachable.md",
    "AWSAccountId": "123456789012",
    "AlarmArn": ARN,
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 datapoint [4.0] was greater than the threshold (3.0).",
    "OldStateValue": "OK",
    "StateChangeTime": "2026-11-30T10:00:00.123+0000",
    "Region": "EU (Ireland)",
}


def envelope(message: object, *, topic: str = "pages", **fields: Any) -> str:
    """What SNS puts into a queue."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": f"arn:aws:sns:eu-west-1:123456789012:pentad-prod-{topic}",
            "Subject": 'ALARM: "pentad-prod-page-models" in EU (Ireland)',
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-11-30T10:00:01.000Z",
            **fields,
        }
    )


def test_a_change_of_an_alarm_is_read_with_its_runbook_and_console() -> None:
    alert = read_alert(envelope(CHANGE))
    assert alert.headline == "[page] ALARM: pentad-prod-page-models (was OK)"
    assert (alert.says, alert.runbook) == ("No model can be reached.", "docs/runbooks/models-unreachable.md")
    assert alert.reason.startswith("Threshold Crossed")
    assert alert.console == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#alarmsV2:alarm/pentad-prod-page-models"
    )


def test_deliveries_of_one_change_have_one_id_and_each_change_has_its_own() -> None:
    first = read_alert(envelope(CHANGE)).alert_id
    assert read_alert(envelope(CHANGE, MessageId="m-2", Timestamp="later")).alert_id == first
    others = [
        envelope(CHANGE | {"NewStateValue": "OK"}),
        envelope(CHANGE | {"StateChangeTime": "2026-11-30T10:05:00.000+0000"}),
        envelope(CHANGE | {"AlarmArn": f"{ARN}-2"}),
        envelope(CHANGE, topic="tickets"),
    ]
    assert len({first, *(read_alert(one).alert_id for one in others)}) == 5


@pytest.mark.parametrize("text", ["the rollout was taken back", "[]", "{}", '{"AlarmName": 7}', "{" * 5_000])
def test_what_is_no_alarm_is_told_as_it_is(text: str) -> None:
    alert = read_alert(envelope(text, topic="tickets"))
    assert (alert.severity, alert.state, alert.reason[:20]) == ("ticket", "", text[:20])
    assert alert.name.startswith("ALARM:") and len(alert.reason) <= 1_000
    assert read_alert(envelope(text, topic="tickets")).alert_id == alert.alert_id
    assert read_alert(envelope(text, topic="tickets", MessageId="m-2")).alert_id != alert.alert_id


def test_long_texts_are_cut_and_what_is_missing_is_empty() -> None:
    alert = read_alert(envelope({"AlarmName": "a" * 900, "NewStateReason": "r" * 90_000}))
    assert (len(alert.name), len(alert.reason), alert.console, alert.runbook) == (300, 1_000, "", "")
    assert alert.headline.startswith("[page] aaa")


@pytest.mark.parametrize("body", ["", "no JSON", "[1]", "{}", '{"TopicArn": 1, "Message": "x"}', "{" * 9_000])
def test_what_sns_does_not_send_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        read_alert(body)


def test_a_message_of_another_topic_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a topic of alarms"):
        read_alert(envelope(CHANGE, topic="notices"))
