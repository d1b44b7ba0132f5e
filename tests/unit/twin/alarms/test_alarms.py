"""Tests of `twin.alarms.alarms`: an alarm as CloudFormation has it, over stored metrics."""

from typing import Any

import pytest

from twin.alarms.alarms import MetricAlarm, read_composite_alarm, read_metric_alarm
from twin.alarms.metric_store import MetricKey, MetricStore

NOW = 1_800_000_000 // 60 * 60
STAGE = [{"Name": "stage", "Value": "dev"}]


def metric(name: str, query_id: str, statistic: str = "Sum", period: int = 300) -> dict[str, Any]:
    stat = {
        "Metric": {"Namespace": "Pentad", "MetricName": name, "Dimensions": STAGE},
        "Period": period,
        "Stat": statistic,
    }
    return {"Id": query_id, "MetricStat": stat, "ReturnData": False}


def plain(**changed: Any) -> dict[str, Any]:
    return {
        "Namespace": "Pentad",
        "MetricName": "Errors",
        "Dimensions": STAGE,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | changed


def share(expression: str = "100 * FILL(failed, 0) / ended", **changed: Any) -> dict[str, Any]:
    return {
        "Metrics": [
            {"Id": "share", "Expression": expression, "ReturnData": True},
            metric("Failed", "failed"),
            metric("Ended", "ended"),
        ],
        "EvaluationPeriods": 1,
        "Threshold": 20,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing",
    } | changed


def fill(values: dict[str, dict[int, float]]) -> MetricStore:
    """Return a store with values by metric and minutes before now."""
    store = MetricStore()
    for name, points in values.items():
        for minutes, value in points.items():
            store.add(MetricKey.of("Pentad", name, {"stage": "dev"}), value, NOW - 60 * minutes)
    return store


def judge(alarm: MetricAlarm, values: dict[str, dict[int, float]]) -> str | None:
    return alarm.evaluate(fill(values).read, NOW + 3).state


def test_two_of_three_minutes_over_the_threshold_are_an_alarm() -> None:
    alarm = read_metric_alarm("errors", plain())
    assert judge(alarm, {"Errors": {1: 5, 3: 9}}) == "ALARM"
    assert judge(alarm, {"Errors": {1: 5, 3: 4}}) == "OK"
    assert judge(alarm, {}) == "OK"


def test_the_minute_that_is_not_over_does_not_count() -> None:
    alarm = read_metric_alarm("errors", plain(EvaluationPeriods=1, DatapointsToAlarm=1))
    assert judge(alarm, {"Errors": {0: 100}}) == "OK"
    assert judge(alarm, {"Errors": {1: 100}}) == "ALARM"


def test_an_expression_over_two_metrics_is_judged() -> None:
    alarm = read_metric_alarm("failing", share())
    assert judge(alarm, {"Failed": {2: 3}, "Ended": {2: 10}}) == "ALARM"
    assert judge(alarm, {"Failed": {2: 2}, "Ended": {2: 10}}) == "OK"
    assert judge(alarm, {"Failed": {2: 2}}) == "INSUFFICIENT_DATA"


def test_expressions_may_use_each_other_in_any_order() -> None:
    given = share()
    given["Metrics"][0] = {"Id": "share", "Expression": "part * 100", "ReturnData": True}
    given["Metrics"].append({"Id": "part", "Expression": "failed / ended", "ReturnData": False})
    assert judge(read_metric_alarm("failing", given), {"Failed": {2: 3}, "Ended": {2: 10}}) == "ALARM"


@pytest.mark.parametrize(
    ("statistic", "expected"), [("p50", "OK"), ("p95", "ALARM"), ("Maximum", "ALARM"), ("PR(:20)", "ALARM")]
)
def test_statistics_of_the_values_of_a_period(statistic: str, expected: str) -> None:
    which = {"Statistic": statistic} if statistic == "Maximum" else {"ExtendedStatistic": statistic, "Statistic": None}
    alarm = read_metric_alarm("slow", plain(EvaluationPeriods=1, DatapointsToAlarm=1, Threshold=50, **which))
    store = MetricStore()
    for value in [*range(1, 20), 1000]:
        store.add(MetricKey.of("Pentad", "Errors", {"stage": "dev"}), value, NOW - 50)
    assert alarm.evaluate(store.read, NOW).state == expected


@pytest.mark.parametrize(("count", "kept"), [(999, True), (1000, False)])
def test_a_percentile_of_few_values_keeps_the_state_where_the_alarm_says_so(count: int, kept: bool) -> None:
    given = plain(EvaluationPeriods=1, DatapointsToAlarm=1, ExtendedStatistic="p99", Statistic=None)
    store = MetricStore()
    store.add(MetricKey.of("Pentad", "Errors", {"stage": "dev"}), 1000, NOW - 50, times=count)
    ignoring = read_metric_alarm("slow", given | {"EvaluateLowSampleCountPercentile": "ignore"})
    assert ignoring.evaluate(store.read, NOW).state == (None if kept else "ALARM")
    for usual in ({}, {"EvaluateLowSampleCountPercentile": "evaluate"}):
        assert read_metric_alarm("slow", given | usual).evaluate(store.read, NOW).state == "ALARM"
    assert ignoring.evaluate(MetricStore().read, NOW).state == "OK"  # no value at all is for TreatMissingData


def test_percentiles_of_many_values_are_of_all_of_them() -> None:
    key, late = MetricKey.of("Pentad", "Errors", {"stage": "dev"}), MetricStore()
    for value in (*[1.0] * 6_000, *[100.0] * 4_000):  # the first ones say nothing of what came after
        late.add(key, value, NOW - 50)
    for value in range(5_000):
        late.add(key, 1.0, NOW - 110 - value % 2)
    for minutes, percent, low, high in ((1, 40, 57, 63), (2, 26.7, 70, 76)):
        found = late.read(key, "PR(:50)", 60 * minutes, NOW - 60 * minutes, NOW)
        assert low + 0 <= found[NOW - 60 * minutes] <= high, percent
    assert late.read(key, "p50", 60, NOW - 60, NOW) == {NOW - 60: 1.0}
    assert late.read(key, "p90", 60, NOW - 60, NOW) == {NOW - 60: 100.0}
    assert late.read(key, "Average", 60, NOW - 60, NOW)[NOW - 60] == pytest.approx(40.6)
    assert late.read(key, "SampleCount", 60, NOW - 60, NOW) == {NOW - 60: 10_000}
    many = MetricStore()
    many.add(key, 5.0, NOW - 50, times=1e9)
    assert many.read(key, "p99", 60, NOW - 60, NOW) == {NOW - 60: 5.0}


def test_a_value_outside_of_its_band_is_an_alarm_and_too_little_history_is_none() -> None:
    given = {
        "Metrics": [
            metric("Cost", "cost", period=60) | {"ReturnData": True},
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(cost, 3)", "ReturnData": True},
        ],
        "ThresholdMetricId": "band",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanUpperThreshold",
    }
    alarm = read_metric_alarm("cost", given)
    calm = {minutes: 10.0 + minutes % 3 for minutes in range(2, 40)}
    assert judge(alarm, {"Cost": calm | {1: 12.0}}) == "OK"
    assert judge(alarm, {"Cost": calm | {1: 60.0}}) == "ALARM"
    assert judge(alarm, {"Cost": {1: 60.0}}) == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (plain(Statistic="Median"), "Median"),
        (plain(EvaluateLowSampleCountPercentile="ignore"), "percentile in ExtendedStatistic only"),
        (plain(EvaluateLowSampleCountPercentile="no"), "evaluate or ignore"),
        (plain(ComparisonOperator="Above"), "Above"),
        (plain(Period=3600, EvaluationPeriods=200), "look"),
        (plain(Namespace="AWS/SQS", MetricName="SentMessageSize"), "does not measure"),
        (share("SEARCH(failed)"), "SEARCH"),
        (share("failed + unknown"), "unknown"),
        (share("share + 1"), "need each other"),
        (share(ThresholdMetricId="band"), "band"),
    ],
)
def test_an_alarm_that_could_not_be_evaluated_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_metric_alarm("any", given)


def test_metrics_of_two_periods_are_refused() -> None:
    given = share()
    given["Metrics"][1] = metric("Failed", "failed", period=60)
    with pytest.raises(ValueError, match="one period"):
        read_metric_alarm("any", given)


def test_a_suppressor_needs_its_periods() -> None:
    with pytest.raises(ValueError, match="ActionsSuppressorWaitPeriod"):
        read_composite_alarm("page", {"AlarmRule": "ALARM(a)", "ActionsSuppressor": "b"})
