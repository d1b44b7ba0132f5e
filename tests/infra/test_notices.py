"""Notices as synthesized, and what a project's own configuration of them may say."""

import json
from typing import Any

import pytest

from infra.config import STAGES, Channels, read_notices
from pentad.domain.errors import ConfigurationError
from tests.infra.conftest import joined

Json = dict[str, Any]


def _of(resources: list[tuple[str, Json]], kind: str) -> list[tuple[str, Json]]:
    return [(name, body["Properties"]) for name, body in resources if body["Type"] == kind]


def test_the_topic_is_encrypted_by_the_customers_key_and_takes_no_plain_connection(
    resources: list[tuple[str, Json]],
) -> None:
    [(_, topic)] = [one for one in _of(resources, "AWS::SNS::Topic") if one[1]["TopicName"] == "pentad-dev-notices"]
    assert "datakey" in joined(topic["KmsMasterKeyId"])
    [(_, policy)] = [one for one in _of(resources, "AWS::SNS::TopicPolicy") if "notices" in json.dumps(one[1])]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_every_event_of_an_approval_goes_to_the_queue(resources: list[tuple[str, Json]]) -> None:
    [(_, rule)] = [
        one for one in _of(resources, "AWS::Events::Rule") if one[1]["Name"] == "pentad-dev-approval-notices"
    ]
    assert rule["EventPattern"]["detail-type"] == [
        f"pentad.approval.{event}" for event in ("requested", "reminded", "escalated", "decided")
    ]
    [target] = rule["Targets"]
    assert "notices" in joined(target["Arn"])
    assert "DeadLetterConfig" in target


def test_an_alarm_tells_of_notices_that_no_channel_took(resources: list[tuple[str, Json]]) -> None:
    [(_, alarm)] = [
        one
        for one in _of(resources, "AWS::CloudWatch::Alarm")
        if one[1]["AlarmName"] == "pentad-dev-notices-undelivered"
    ]
    [dimension] = alarm["Dimensions"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 1)
    assert "noticesqueuenoticesdlq" in dimension["Value"]["Fn::GetAtt"][0]


def test_the_notifier_reaches_its_topic_its_secret_and_the_log_of_notices_only(
    resources: list[tuple[str, Json]],
) -> None:
    [policy] = [body for name, body in _of(resources, "AWS::IAM::Policy") if name.startswith("noticesnotifyrole")]
    granted = {
        action: joined(statement["Resource"])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    assert granted["sns:Publish"].startswith("<noticestopic")
    assert granted["secretsmanager:GetSecretValue"].startswith("<noticesslack")
    assert "transient" in granted["dynamodb:UpdateItem"]
    assert {one for one in granted if one.startswith("dynamodb:")} == {"dynamodb:UpdateItem"}
    assert not any(action.startswith("ses:") for action in granted), "no stage has a sender of its own"
    text = json.dumps(policy)
    assert '"dynamodb:LeadingKeys": ["T#*#NOTICE#*"]' in text


def test_every_stage_says_who_is_told() -> None:
    assert all("*" in stage.notices.groups for stage in STAGES.values())


def test_a_project_says_who_is_told_in_its_own_file() -> None:
    notices = read_notices(
        {
            "link": "https://console.example/a",
            "email_from": "p@example.com",
            "groups": {"*": {}, "leads": {"slack": True, "email": ["l@example.com"]}},
        }
    )
    assert notices.groups == {
        "*": Channels(slack=False, email=()),
        "leads": Channels(slack=True, email=("l@example.com",)),
    }
    assert notices.groups["leads"].list_enabled(notices.email_from) == ("topic", "slack", "email")
    assert notices.groups["leads"].list_enabled(None) == ("topic", "slack")


@pytest.mark.parametrize(
    "values", [{"sender": "x"}, {"groups": {"leads": {"pager": True}}}, {"groups": {"No Group": {"slack": True}}}]
)
def test_what_a_project_says_wrongly_is_refused(values: Json) -> None:
    with pytest.raises(ConfigurationError, match="notices"):
        read_notices(values)
