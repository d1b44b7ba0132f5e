"""Subscription filters: which lines match, and the form in which a function gets them."""

import json

import pytest

from pentad.observability.export.log_batch import FILTER_PATTERN, read_batch
from twin.deploy.deployment import LogSubscription
from twin.deploy.log_patterns import match_line
from twin.host.model import LogEvent
from twin.pumps.delivery import Delivery
from twin.pumps.logs.subscriptions import SubscriptionPump

SPAN = {"trace_id": "a" * 32, "span_id": "b" * 16, "name": "n", "start": 1, "end": 2}
LINE = json.dumps({"level": "INFO", "span": SPAN})
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:pentad-dev-export"


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        (LINE, True),
        (json.dumps({"span": {"trace_id": ""}}), True),
        (json.dumps({"span": {"trace_id": None}}), False),
        (json.dumps({"span": {"trace_id": {}}}), False),
        (json.dumps({"span": "trace_id"}), False),
        (json.dumps(["span", "trace_id"]), False),
        ('START RequestId: 1 "span": {"trace_id": "a"}', False),
        ("", False),
    ],
)
def test_a_line_matches_that_has_the_field(line: str, matches: bool) -> None:
    assert match_line(FILTER_PATTERN, line) is matches


def test_an_empty_pattern_takes_every_line_and_another_kind_none() -> None:
    assert match_line("", "START")
    assert not match_line("ERROR", "ERROR")


def test_a_function_gets_the_lines_that_match_as_cloudwatch_logs_sends_them() -> None:
    sent: list[Delivery] = []
    filters = [LogSubscription("spans", "/aws/lambda/pentad-dev-api", FILTER_PATTERN, FUNCTION)]
    pump = SubscriptionPump(filters, sent.append, ("123456789012", "us-east-1"))
    pump.on_lines("/aws/lambda/pentad-dev-api", "stream", [LogEvent(5, LINE), LogEvent(6, "END"), LogEvent(7, LINE)])
    pump.on_lines("/aws/lambda/pentad-dev-api", "stream", [LogEvent(8, "END")])
    pump.on_lines("/aws/lambda/pentad-dev-export", "stream", [LogEvent(9, LINE)])
    [one] = sent
    assert one.target.arn == FUNCTION
    assert one.service == "logs.amazonaws.com"
    assert one.source_arn == "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/pentad-dev-api:*"
    assert read_batch(json.loads(one.body)) == ("pentad-dev-api", [SPAN, SPAN], 0)
