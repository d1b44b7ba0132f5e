"""Notices as synthesized, and what a project's own configuration of them may say."""

import json
from typing import Any

import pytest
from aws_cdk import App

from infra.config import BY_STAGE, STAGES, read_stage
from infra.notices import Channels, read_notices
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
    assert notices.groups["leads"].list_enabled() == ("topic", "slack", "email")
    assert notices.groups["*"].list_enabled() == ("topic",)
    assert read_notices({"link": None}).groups == {"*": Channels(slack=True)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sender": "x"}, "no field 'sender'"),
        ({"groups": {"leads": {"pager": True}}}, "no field 'groups.leads.pager'"),
        ({"groups": {"No Group": {"slack": True}}}, "groups.No Group"),
        ({"groups": {"leads": {"slack": "no"}}}, "groups.leads.slack"),
        ({"email_from": "p@example.com", "groups": {"leads": {"email": "l@example.com"}}}, "groups.leads.email"),
        ({"email_from": "p@example.com", "groups": {"leads": {"email": ["leads"]}}}, "groups.leads.email.0"),
        ({"groups": {"leads": {"email": ["l@example.com"]}}}, "'leads' is told by email, and the stage has no sender"),
        ({"groups": {"leads": True}}, "groups.leads"),
        ({"groups": {}}, "groups"),
        ({"link": 5}, "link"),
        ({"link": "console.example.com"}, "link"),
        (["leads"], "valid dictionary"),
        (True, "valid dictionary"),
    ],
)
def test_what_a_project_says_wrongly_is_refused(values: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^cdk\.json: notices: ") as refused:
        read_notices(values)
    assert said in refused.value.message
    assert refused.value.fix


@pytest.mark.parametrize("key", BY_STAGE)
@pytest.mark.parametrize(
    ("values", "said"), [({"production": {}}, "no stage 'production'"), ([], "must be an object"), ("x", "must be an")]
)
def test_what_is_said_of_a_stage_that_is_none_is_refused(key: str, values: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^cdk\.json: {key}: {said}"):
        read_stage(App(context={"stage": "dev", key: values}))
