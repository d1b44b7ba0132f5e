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
