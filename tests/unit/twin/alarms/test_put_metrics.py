"""Tests of `twin.alarms.watch` with PutMetricData, and of the patch of moto that tells of it."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from tests.unit.twin.alarms.test_watch import NOW, PAGES, Told, alarm
from twin.alarms.metric_store import MetricKey
from twin.alarms.watch import AlarmWatch
from twin.moto_patches import metrics
from twin.moto_patches.patching import Patches

MINUTE = 60


def test_what_is_put_reaches_the_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    watch, patches = AlarmWatch({}, {}, Told()), Patches()
    metrics.apply(patches, on_metrics=watch.on_put_metrics, on_state=watch.on_set_state)
    at = datetime.now(UTC) - timedelta(hours=2)
    where = [{"Name": "stage", "Value": "dev"}]
    try:
        with mock_aws():
            boto3.client("cloudwatch", region_name="eu-west-1").put_metric_data(
                Namespace="Pentad",
                MetricData=[
                    {"MetricName": "One", "Value": 7, "Timestamp": at, "Dimensions": where},
                    {"MetricName": "Many", "Values": [1, 5], "Counts": [9, 1], "Timestamp": at, "Dimensions": where},
                    {
                        "MetricName": "Set",
                        "StatisticValues": {"SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9},
                        "Timestamp": at,
                        "Dimensions": where,
                    },
                ],
            )
    finally:
        patches.undo()
    start = int(at.timestamp()) // MINUTE * MINUTE

    def read(name: str, statistic: str) -> list[float]:
        key = MetricKey.of("Pentad", name, {"stage": "dev"})
        return list(watch.store.read(key, statistic, MINUTE, start, start + MINUTE).values())

    assert read("One", "Sum") == [7]
    assert [read("Many", one) for one in ("SampleCount", "Sum", "Maximum", "p50")] == [[10], [14], [5], [1]]
    assert [read("Set", one) for one in ("SampleCount", "Sum", "Minimum", "Maximum")] == [[4], [20], [1], [9]]


def test_a_state_that_is_set_is_told_at_once_and_the_next_evaluation_turns_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    told = Told()
    watch, patches = AlarmWatch({"busy": alarm("busy", "Load", AlarmActions=[PAGES])}, {}, told), Patches()
    metrics.apply(patches, on_metrics=watch.on_put_metrics, on_state=watch.on_set_state)
    try:
        with mock_aws():
            cloudwatch = boto3.client("cloudwatch", region_name="eu-west-1")
            cloudwatch.put_metric_alarm(
                AlarmName="busy", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=1
            )
            cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="by hand")
            assert cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"] == "ALARM"
    finally:
        patches.undo()
    assert told.take() == [(PAGES, "busy", "ALARM")]
    watch.evaluate(NOW)
    assert (watch.find_state("busy"), told.states["busy"]) == ("OK", "OK")
    watch.on_set_state("unknown", "ALARM", "x")
    watch.on_set_state("busy", "SIDEWAYS", "x")
    assert (told.take(), watch.find_state("busy")) == ([], "OK")
