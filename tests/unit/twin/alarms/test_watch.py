"""Tests of `twin.alarms.watch`: from log lines to the message of a topic."""

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from twin.alarms.alarms import CompositeAlarm, MetricAlarm, Query, read_composite_alarm, read_metric_alarm
from twin.alarms.emf import read_line
from twin.alarms.evaluation import State
from twin.alarms.metric_store import MOST_METRICS, MetricKey, MetricStore
from twin.alarms.watch import AlarmWatch
from twin.host.model import LogEvent

NOW = 1_800_000_000 // 60 * 60
PAGES, TICKETS = "arn:aws:sns:us-east-1:1:pages", "arn:aws:sns:us-east-1:1:tickets"


@dataclass
class Told:
    """An `AlarmTarget` that keeps what it is told."""

    states: dict[str, State] = field(default_factory=dict)
    messages: list[tuple[str, str, str]] = field(default_factory=list)

    def set_state(self, name: str, state: State, reason: str) -> None:
        self.states[name] = state

    def publish(self, topic_arn: str, subject: str, message: str, alarm_arn: str) -> None:
        told = json.loads(message)
        self.messages.append((topic_arn, told["AlarmName"], told["NewStateValue"]))

    def format_arn(self, alarm: str) -> str:
        return f"arn:aws:cloudwatch:us-east-1:1:alarm:{alarm}"

    def take(self) -> list[tuple[str, str, str]]:
        taken, self.messages = self.messages, []
        return taken


def alarm(name: str, metric: str, **changed: Any) -> MetricAlarm:
    given = {
        "Namespace": "Pentad",
        "MetricName": metric,
        "Dimensions": [{"Name": "stage", "Value": "dev"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    return read_metric_alarm(name, given | changed)


def composite(name: str, rule: str, **changed: Any) -> CompositeAlarm:
    return read_composite_alarm(name, {"AlarmRule": rule, "AlarmActions": [PAGES], "OKActions": [PAGES]} | changed)


def line(metric: str, value: Any, at: float, **dimensions: str) -> LogEvent:
    given = {"stage": "dev", **dimensions}
    document = {
        "_aws": {
            "Timestamp": int(at * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "Pentad", "Dimensions": [["stage"], list(given)], "Metrics": [{"Name": metric}]}
            ],
        },
        metric: value,
        **given,
    }
    return LogEvent(int(at * 1000), json.dumps(document))


def make(alarms: list[MetricAlarm], composites: list[CompositeAlarm]) -> tuple[AlarmWatch, Told]:
    told = Told()
    watch = AlarmWatch(
        {one.name: one for one in alarms},
        {one.name: one for one in composites},
        told,
    )
    return watch, told


def report(watch: AlarmWatch, metric: str, minutes: int, value: float = 1) -> None:
    watch.on_log_lines("group", "stream", [line(metric, value, NOW + 60 * minutes, agent="any")])


def test_a_metric_of_a_log_line_raises_an_alarm_and_its_topic_is_told_once_of_each_change() -> None:
    watch, told = make([alarm("errors", "Errors", AlarmActions=[TICKETS], OKActions=[TICKETS])], [])
    watch.evaluate(NOW)
    assert told.take() == [(TICKETS, "errors", "OK")]  # from INSUFFICIENT_DATA, as on AWS
    report(watch, "Errors", 0)
    watch.evaluate(NOW + 61)
    watch.evaluate(NOW + 100)
    assert told.take() == [(TICKETS, "errors", "ALARM")]
    watch.evaluate(NOW + 300)
    assert (told.take(), told.states) == ([(TICKETS, "errors", "OK")], {"errors": "OK"})


def test_one_fault_pages_once_by_its_cause() -> None:
    suppressed = {
        "ActionsSuppressor": "cause",
        "ActionsSuppressorWaitPeriod": 120,
        "ActionsSuppressorExtensionPeriod": 60,
    }
    watch, told = make(
        [alarm("model", "Degraded"), alarm("runs", "Failed")],
        [composite("symptom", "ALARM(runs)", **suppressed), composite("cause", "ALARM(model)")],
    )
    watch.evaluate(NOW)
    told.take()
    report(watch, "Failed", 0)  # The symptom shows first, and waits for a cause.
    watch.evaluate(NOW + 61)
    assert told.take() == []
    for minute in (1, 2):
        report(watch, "Failed", minute)
        report(watch, "Degraded", minute)
        watch.evaluate(NOW + 60 * minute + 61)
    assert told.take() == [(PAGES, "cause", "ALARM")]
    for minute in (3, 4, 5, 6):
        watch.evaluate(NOW + 60 * minute + 61)
    assert told.take() == [(PAGES, "cause", "OK")]
    assert told.states["symptom"] == "OK"


def test_a_symptom_without_a_cause_pages_after_its_wait() -> None:
    suppressed = {
        "ActionsSuppressor": "cause",
        "ActionsSuppressorWaitPeriod": 120,
        "ActionsSuppressorExtensionPeriod": 60,
    }
    watch, told = make(
        [alarm("model", "Degraded"), alarm("runs", "Failed")],
        [composite("symptom", "ALARM(runs)", **suppressed), composite("cause", "ALARM(model)")],
    )
    watch.evaluate(NOW)
    told.take()
    for minute in (0, 1, 2, 3):
        report(watch, "Failed", minute)
        watch.evaluate(NOW + 60 * minute + 61)
    assert told.take() == [(PAGES, "symptom", "ALARM")]


def test_composite_alarms_that_look_at_each_other_are_left_out_and_others_are_evaluated() -> None:
    rings = {"a": "ALARM(b)", "b": "ALARM(a)", "itself": "NOT ALARM(itself)", "c": "TRUE"}
    watch, told = make([], [composite(name, rule) for name, rule in rings.items()])
    watch.evaluate(NOW)
    assert told.states == {"c": "ALARM"}


def test_an_alarm_that_can_not_be_evaluated_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    broken = replace(alarm("broken", "Errors"), queries=(Query("m1", None, "", "[m2] + [m2]"),))
    watch, told = make([broken, alarm("errors", "Errors")], [])
    watch.evaluate(NOW)
    assert told.states == {"errors": "OK"}
    assert "broken" in caplog.text


def test_lines_that_are_no_metrics_are_no_metrics() -> None:
    about = '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": %s}, "A": 1}'
    directives = (
        "[{}]",
        "7",
        '[{"Namespace": "x", "Metrics": ["A"]}]',
        '[{"Namespace": "x", "Metrics": [{"Unit": "s"}]}]',
    )
    odd = '[{"Namespace": "x", "Dimensions": [[{}]], "Metrics": [{"Name": "A"}]}]'
    for text in ('{"_aws": 1}', '{"_aws"', "plain", *(about % one for one in (*directives, odd)), '["_aws"]', '"_aws"'):
        assert read_line(text) == [], text
    assert [one.value for one in read_line(line("Errors", [1, 2.5, True, "x"], NOW).message)] == [1, 2.5] * 2


def test_too_many_metrics_are_counted_and_not_kept() -> None:
    store = MetricStore()
    for number in range(MOST_METRICS + 3):
        store.add(MetricKey.of("any", "metric", {"user": str(number)}), 1, NOW)
    assert (store.refused, len(store.list_metrics())) == (3, MOST_METRICS)


def test_threads_add_and_read_at_once_without_loss() -> None:
    store, key = MetricStore(), MetricKey.of("any", "metric", {})

    def add() -> None:
        for number in range(2_000):
            store.add(key, 1, NOW + number % 120)
            if number % 500 == 0:
                store.read(key, "Sum", 60, NOW, NOW + 120)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read(key, "Sum", 120, NOW, NOW + 120) == {NOW: 16_000}
