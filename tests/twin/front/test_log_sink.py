"""Log lines of functions can be read in the local CloudWatch Logs."""

import time

import pytest

from pentad.local.front.front import AwsFront
from pentad.local.front.log_sink import CloudWatchLogSink
from pentad.local.host.model import LogEvent
from tests.twin.front.conftest import Client

pytestmark = pytest.mark.twin


def now() -> int:
    return int(time.time() * 1000)


def test_lines_are_read_back_in_order(front: AwsFront, client: Client) -> None:
    sink = CloudWatchLogSink(front.account)
    client("logs").create_log_group(logGroupName="/aws/lambda/fn")
    at = now()
    sink.write("/aws/lambda/fn", "stream", [LogEvent(at, "one"), LogEvent(at, "two")])
    sink.write("/aws/lambda/fn", "stream", [LogEvent(at + 1, "three")])
    sink.stop()
    found = client("logs").get_log_events(logGroupName="/aws/lambda/fn", logStreamName="stream", startFromHead=True)
    assert [event["message"] for event in found["events"]] == ["one", "two", "three"]


def test_group_is_made_when_it_does_not_exist(front: AwsFront, client: Client) -> None:
    sink = CloudWatchLogSink(front.account)
    sink.write("/aws/lambda/new", "stream", [LogEvent(now(), "line")])
    sink.stop()
    assert client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "/aws/lambda/new"


def test_lines_past_the_queue_are_dropped_and_counted(front: AwsFront) -> None:
    sink = CloudWatchLogSink(front.account, max_batches=1)
    sink.stop()
    for _ in range(3):
        sink.write("g", "s", [LogEvent(now(), "line")])
    assert sink.dropped == 2
