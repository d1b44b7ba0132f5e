"""One tenant's thousand messages do not hold up another's one: over SQS and DynamoDB as moto plays them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.redelivery import SqsRedelivery
from pentad.aws.table import Table
from pentad.domain.errors import StoreUnavailable
from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from pentad.runtime.fair_queue import MOST_RETURNS, FairQueue
from tests.moto_clients import client, table


class Queue:
    """A queue, and what works it off."""

    def __init__(self) -> None:
        self.sqs = client("sqs")
        self.url = self.sqs.create_queue(QueueName="ingest")["QueueUrl"]
        self.arn = "arn:aws:sqs:us-east-1:123456789012:ingest"
        self.telemetry = MemoryTelemetry()
        self.sent: list[int] = []
        self.now = 100.0
        self.random = 1.0
        self.shares: Any = DynamoShares(Table(table("transient"), "transient"), "ingest")

    @property
    def fair(self) -> FairQueue:
        return FairQueue(
            self.shares,
            SqsRedelivery(self),
            self.telemetry,
            most=2,
            clock=lambda: self.now,
            random=lambda: self.random,
        )

    def send_message(self, **request: Any) -> Any:
        self.sent.append(request.pop("DelaySeconds"))
        return self.sqs.send_message(**request)

    def get_queue_url(self, **request: Any) -> Any:
        return self.sqs.get_queue_url(**request)

    def take_all(self) -> list[dict[str, Any]]:
        """Take every message off the queue."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found


@pytest.fixture
def queue() -> Iterator[Queue]:
    with mock_aws():
        yield Queue()


def test_of_a_tenants_messages_so_many_are_worked_on_and_anothers_is_next(queue: Queue) -> None:
    with queue.fair.hold("acme", queue.arn, {"n": 1}) as first, queue.fair.hold("acme", queue.arn, {"n": 2}) as second:
        with queue.fair.hold("acme", queue.arn, {"n": 3}) as third, queue.fair.hold("other", queue.arn, {}) as others:
            assert (first, second, third, others) == (True, True, False, True)
    assert queue.take_all() == [{"n": 3, "pentad_returns": 1}]
    with queue.fair.hold("acme", queue.arn, {"n": 3, "pentad_returns": 1}) as again:
        assert again
    assert [count.name for count in queue.telemetry.counts] == [names.SHARE_RETURNS]


def test_a_message_waits_longer_each_time_and_at_the_end_is_worked_on_all_the_same(queue: Queue) -> None:
    message: dict[str, Any] = {"n": 3}
    with queue.fair.hold("acme", queue.arn, {}), queue.fair.hold("acme", queue.arn, {}):
        for _ in range(MOST_RETURNS):
            with queue.fair.hold("acme", queue.arn, message) as held:
                assert not held
            [message] = queue.take_all()
        with queue.fair.hold("acme", queue.arn, message) as held:
            assert held
    assert queue.sent[:10] == [2, 2, 3, 4, 5, 6, 8, 10, 12, 15]
    assert max(queue.sent) == 300
    assert sum(queue.sent) < 4 * 86_400


def test_messages_that_went_back_together_do_not_come_together(queue: Queue) -> None:
    with queue.fair.hold("acme", queue.arn, {}), queue.fair.hold("acme", queue.arn, {}):
        for queue.random in (0.0, 0.5, 1.0):
            with queue.fair.hold("acme", queue.arn, {"pentad_returns": 20}):
                pass
    assert queue.sent == [87, 130, 173]


def test_a_slot_of_what_failed_is_free_and_that_of_a_dead_process_after_its_time(queue: Queue) -> None:
    with pytest.raises(ValueError, match="broken"), queue.fair.hold("acme", queue.arn, {}):
        raise ValueError("broken")
    for name in ("a", "b"):
        assert queue.shares.take("acme", name, most=2, now=queue.now, until=queue.now + 310)
    with queue.fair.hold("acme", queue.arn, {}) as held:
        assert not held
    queue.now += 311
    with queue.fair.hold("acme", queue.arn, {}) as held:
        assert held


class SilentShares:
    """A store that does not answer."""

    def take(self, *_: Any, **__: Any) -> bool:
        raise StoreUnavailable("the table did not answer")

    def renew(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing was taken")

    def give_back(self, *_: Any) -> None:
        raise AssertionError("nothing was taken")


def test_where_the_store_is_silent_messages_are_worked_on(queue: Queue) -> None:
    queue.shares = SilentShares()
    with queue.fair.hold("acme", queue.arn, {}) as held:
        assert held
    assert queue.sent == []
    assert {event.name for event in queue.telemetry.events} == {"share.unavailable"}


def test_what_can_not_be_sent_back_fails_and_so_comes_again(queue: Queue) -> None:
    queue.sqs.delete_queue(QueueUrl=queue.url)
    with queue.fair.hold("acme", queue.arn, {}), queue.fair.hold("acme", queue.arn, {}):
        with pytest.raises(Exception, match="queue"), queue.fair.hold("acme", queue.arn, {}):
            raise AssertionError("nobody holds a slot")


@pytest.mark.parametrize("returns", ["7", True, -3, None, 2.5, []])
def test_a_count_that_is_none_begins_anew(queue: Queue, returns: Any) -> None:
    with queue.fair.hold("acme", queue.arn, {}), queue.fair.hold("acme", queue.arn, {}):
        with queue.fair.hold("acme", queue.arn, {"pentad_returns": returns}):
            pass
    assert queue.take_all() == [{"pentad_returns": 1}]
