"""Conformance of the log of notices, and the channels against what they speak to."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from pentad.aws.sent_items import CLAIM_SECONDS
from pentad.domain.errors import ConfigurationError, EffectUncertain, StoreUnavailable, ToolThrottled, ToolUnavailable
from pentad.orchestration.approvals.adapters.notify_email import EmailNotifier
from pentad.orchestration.approvals.adapters.notify_log import DynamoNotices, MemoryNotices
from pentad.orchestration.approvals.adapters.notify_slack import SlackNotifier
from pentad.orchestration.approvals.adapters.notify_sns import TopicNotifier
from pentad.orchestration.approvals.ports import Notice, NoticeLog
from tests.moto_clients import client
from tests.twin.stack.slack import Slack

from .stores import Stores

NOTICE = Notice(
    reference="apr_1", group="clerks", subject="[Pentad] A decision", text="Decide.", link="https://x/apr_1"
)


@pytest.fixture
def log(stores: Stores) -> NoticeLog:
    if stores.transient is None:
        return MemoryNotices(now=stores.clock)
    return DynamoNotices(stores.transient, now=stores.clock)


def test_a_notice_that_was_sent_is_not_claimed_again(log: NoticeLog) -> None:
    assert log.acquire("acme", "apr_1", "requested-0-0#slack")
    log.mark_sent("acme", "apr_1", "requested-0-0#slack")
    assert not log.acquire("acme", "apr_1", "requested-0-0#slack")
    assert log.acquire("acme", "apr_1", "requested-0-0#email")
    assert log.acquire("acme", "apr_2", "requested-0-0#slack")
    assert log.acquire("other", "apr_1", "requested-0-0#slack")


def test_a_claim_holds_others_off_until_it_is_given_back(log: NoticeLog) -> None:
    assert log.acquire("acme", "apr_1", "x")
    with pytest.raises(StoreUnavailable):
        log.acquire("acme", "apr_1", "x")
    log.release("acme", "apr_1", "x")
    assert log.acquire("acme", "apr_1", "x")


def test_the_claim_of_an_instance_that_died_runs_out(log: NoticeLog, stores: Stores) -> None:
    assert log.acquire("acme", "apr_1", "x")
    stores.clock.advance(CLAIM_SECONDS)
    assert log.acquire("acme", "apr_1", "x")


def test_a_notice_whose_senders_die_is_sent_twice_at_most_and_given_up_then(log: NoticeLog, stores: Stores) -> None:
    for _ in range(2):
        assert log.acquire("acme", "apr_1", "x")
        stores.clock.advance(CLAIM_SECONDS)
    for _ in range(2):
        with pytest.raises(EffectUncertain):
            log.acquire("acme", "apr_1", "x")


def test_a_channel_that_refuses_is_asked_again_however_often(log: NoticeLog) -> None:
    for _ in range(5):
        assert log.acquire("acme", "apr_1", "x")
        log.release("acme", "apr_1", "x")


class Addresses:
    """A secret with webhooks."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = addresses
        self.forgotten = 0

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        return self.addresses

    def forget(self, secret_id: str) -> None:
        self.forgotten += 1


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack().serving() as running:
        yield running


def _send(slack: Slack, path: str, *, loopback: bool = True) -> tuple[bool, list[float]]:
    waits: list[float] = []
    notifier = SlackNotifier(Addresses(default=f"{slack.url}{path}"), "secret", loopback=loopback, sleep=waits.append)
    return notifier.send(NOTICE), waits


def test_slack_gets_the_text(slack: Slack) -> None:
    assert _send(slack, "/hook") == (True, [])
    assert slack.posts == [("/hook", "Decide.")]


def test_slack_makes_no_mention_and_no_link_of_a_text(slack: Slack) -> None:
    hostile = NOTICE.model_copy(update={"text": "<!channel> <https://evil.example|Decide> & *now*"})
    SlackNotifier(Addresses(default=f"{slack.url}/hook"), "secret", loopback=True).send(hostile)
    assert slack.posts == [("/hook", "&lt;!channel&gt; &lt;https://evil.example|Decide&gt; &amp; *now*")]
    assert slack.bodies[-1].items() >= {"mrkdwn": False, "link_names": False, "unfurl_links": False}.items()


def test_a_group_has_a_webhook_of_its_own_where_there_is_one(slack: Slack) -> None:
    secret = Addresses(default=f"{slack.url}/all", clerks=f"{slack.url}/clerks")
    SlackNotifier(secret, "secret", loopback=True).send(NOTICE)
    SlackNotifier(secret, "secret", loopback=True).send(NOTICE.model_copy(update={"group": "leads"}))
    assert [path for path, _ in slack.posts] == ["/clerks", "/all"]


def test_where_there_is_no_webhook_yet_nothing_is_sent_and_the_secret_is_read_anew() -> None:
    secret = Addresses(unused="random")
    assert not SlackNotifier(secret, "secret", loopback=True).send(NOTICE)
    assert secret.forgotten == 1


def test_slack_that_asks_to_wait_a_moment_is_asked_again(slack: Slack) -> None:
    assert _send(slack, "/throttled") == (True, [0.0])


@pytest.mark.parametrize(
    ("path", "error", "tries"),
    [
        ("/status/429", ToolThrottled, 3),
        ("/status/500", ToolUnavailable, 3),
        ("/status/404", ConfigurationError, 1),
        ("/status/403", ConfigurationError, 1),
        ("/status/302", ConfigurationError, 1),
    ],
)
def test_what_slack_refuses_is_tried_so_often_and_no_redirect_is_followed(
    slack: Slack, path: str, error: type[Exception], tries: int
) -> None:
    with pytest.raises(error):
        _send(slack, path)
    assert slack.tries == [path] * tries


def test_an_error_does_not_show_the_webhook(slack: Slack) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _send(slack, "/status/404")
    assert slack.url not in str(refused.value)
    assert "/status" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://hooks.example/x", "ftp://x", "https://", "nonsense", "file:///etc/passwd"])
def test_only_https_is_posted_to(address: str) -> None:
    with pytest.raises(ConfigurationError):
        SlackNotifier(Addresses(default=address), "secret", loopback=True).send(NOTICE)


def test_this_machine_is_posted_to_on_a_twin_only(slack: Slack) -> None:
    with pytest.raises(ConfigurationError):
        _send(slack, "/hook", loopback=False)


def test_slack_that_is_not_there_is_unavailable(slack: Slack) -> None:
    notifier = SlackNotifier(Addresses(default="http://127.0.0.1:1/x"), "s", loopback=True, sleep=lambda _: None)
    with pytest.raises(ToolUnavailable):
        notifier.send(NOTICE)


def test_the_topic_gets_the_text_with_the_group_to_filter_by() -> None:
    with mock_aws():
        sns, sqs = client("sns"), client("sqs")
        topic = sns.create_topic(Name="notices")["TopicArn"]
        url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
        assert TopicNotifier(sns, topic).send(NOTICE)
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    body = json.loads(message["Body"])
    assert (body["Subject"], body["Message"]) == (NOTICE.subject, NOTICE.text)
    assert body["MessageAttributes"]["group"]["Value"] == "clerks"


@mock_aws
def test_an_email_goes_to_the_groups_addresses() -> None:
    service = client("sesv2")
    service.create_email_identity(EmailIdentity="pentad@example.com")
    notifier = EmailNotifier(service, "pentad@example.com", {"clerks": ["a@example.com"], "*": ["all@example.com"]})
    assert notifier.send(NOTICE)
    assert notifier.send(NOTICE.model_copy(update={"group": "leads"}))
    sent = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert [one.destinations["ToAddresses"] for one in sent] == [["a@example.com"], ["all@example.com"]]
    assert [(one.source, one.subject, one.body) for one in sent] == [
        ("pentad@example.com", NOTICE.subject, NOTICE.text)
    ] * 2


@mock_aws
def test_a_group_without_addresses_gets_no_email() -> None:
    assert not EmailNotifier(client("sesv2"), "pentad@example.com", {}).send(NOTICE)


@mock_aws
def test_a_sender_that_is_not_verified_is_an_error_of_the_configuration() -> None:
    notifier = EmailNotifier(client("sesv2"), "pentad@example.com", {"*": ["a@example.com"]})
    with pytest.raises(ConfigurationError, match="refused"):
        notifier.send(NOTICE)
