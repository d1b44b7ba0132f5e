"""Alarms on how fast error budgets are used up, each over a long and a short window.

Source: "Alerting on SLOs" of Google's Site Reliability Workbook: 14.4 times too fast over 1 h and 5 min (2 % of a
month's budget in an hour), 6 times over 6 h and 30 min.
"""

from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alarms.specs import AlarmMetric, AlarmSpec
from pentad.observability.metrics import names

_RATES = (("fast", 14.4, 60), ("fast", 14.4, 5), ("slow", 6.0, 360), ("slow", 6.0, 30))
"""By speed: how many times too fast, over how many minutes."""


def build_slo_alarms(limits: AlarmLimits) -> list[AlarmSpec]:
    """Return the burn rates of both objectives."""
    return [
        build(limits, speed, rate, minutes)
        for speed, rate, minutes in _RATES
        for build in (_build_success_alarm, _build_latency_alarm)
    ]


def _build_success_alarm(limits: AlarmLimits, speed: str, rate: float, minutes: int) -> AlarmSpec:
    allowed = 100 - limits.slo_success_percent
    return AlarmSpec(
        name=f"slo-success-{speed}-{minutes}m",
        group="runs",
        severity="page" if speed == "fast" else "ticket",
        says=f"Failures use up the error budget {rate:g} times too fast, over {minutes} minutes",
        why=f"objective: {limits.slo_success_percent:g} % of runs do not fail; at least three that do",
        runbook="runs-failing",
        signals={
            "failed": AlarmMetric(metric=names.RUNS_FAILED),
            "ended": AlarmMetric(metric=names.RUNS_FAILED, statistic="SampleCount"),
        },
        expression=f"IF(failed >= 3, 100 * failed / ended / {allowed:g}, 0)",
        threshold=min(rate, 100 / allowed),
        minutes=minutes,
    )


def _build_latency_alarm(limits: AlarmLimits, speed: str, rate: float, minutes: int) -> AlarmSpec:
    allowed = 100 - limits.slo_fast_percent
    return AlarmSpec(
        name=f"slo-latency-{speed}-{minutes}m",
        group="runs",
        severity="ticket",
        says=f"Slow runs use up the error budget {rate:g} times too fast, over {minutes} minutes",
        why=f"objective: {limits.slo_fast_percent:g} % of runs within {limits.slo_seconds:g} s; at least ten runs",
        runbook="slow",
        signals={
            "fast": AlarmMetric(metric=names.RUN_ACTIVE, statistic=f"PR(:{limits.slo_seconds * 1000:g})"),
            "ended": AlarmMetric(metric=names.RUN_ACTIVE, statistic="SampleCount"),
        },
        expression=f"IF(ended >= 10, (100 - fast) / {allowed:g}, 0)",
        threshold=min(rate, 100 / allowed),
        minutes=minutes,
    )
