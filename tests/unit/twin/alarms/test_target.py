"""Tests of `twin.alarms.target`: CloudWatch tells a topic only where the topic's policy and its key's let it."""

from collections.abc import Iterator, Mapping

import boto3
import pytest
from moto import mock_aws
from moto.sns.models import sns_backends

from twin.alarms.target import SERVICE, MotoAlarms
from twin.iam.model import ACCOUNT_ID

REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/1"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:any"


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    with mock_aws():
        sns = boto3.client("sns", region_name=REGION)
        made = {"plain": {}, "sealed": {"KmsMasterKeyId": KEY}}
        yield {name: sns.create_topic(Name=name, Attributes=with_)["TopicArn"] for name, with_ in made.items()}


def tell(topic_arn: str, denied: str) -> list[str]:
    """Publish where one action is denied; return what was sent."""

    def may(service: str, action: str, resource: str, context: Mapping[str, str]) -> str | None:
        assert (service, context["aws:SourceArn"]) == (SERVICE, ALARM)
        return f"{action} is denied" if action == denied else None

    MotoAlarms(ACCOUNT_ID, REGION, may).publish(topic_arn, "subject", "message", ALARM)
    return [sent[1] for sent in sns_backends[ACCOUNT_ID][REGION].topics[topic_arn].sent_notifications]


@pytest.mark.parametrize(
    ("topic", "denied", "sent"),
    [
        ("plain", "nothing", ["message"]),
        ("plain", "sns:Publish", []),
        ("plain", "kms:Decrypt", ["message"]),
        ("sealed", "nothing", ["message"]),
        ("sealed", "kms:Decrypt", []),
        ("sealed", "kms:GenerateDataKey", []),
    ],
)
def test_a_topic_is_told_as_far_as_policies_go(
    topics: dict[str, str], topic: str, denied: str, sent: list[str]
) -> None:
    assert tell(topics[topic], denied) == sent
