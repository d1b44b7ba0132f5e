"""The alarms of a deployment as CloudFormation resolved them, and what one metric alarm comes to. Pure."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.alarms.evaluation import EXTRA_PERIODS, AlarmVerdict, Missing, evaluate_points
from twin.alarms.expressions import Times, Value, evaluate_expression, list_names
from twin.alarms.metric_store import MINUTE, MetricKey, Series
from twin.alarms.rules import Suppressor, list_alarms
from twin.alarms.services import check_measured
from twin.alarms.statistics import count_needed, find_statistic

JsonObject = dict[str, Any]
Read = Callable[[MetricKey, str, int, int, int], Series]
_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_OF_BANDS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
_DAY = 86_400
_MOST_QUERIES = 10


@dataclass(frozen=True)
class Actions:
    """Whom an alarm tells, by ARN of a topic, when it enters a state."""

    alarm: tuple[str, ...]
    ok: tuple[str, ...]
    insufficient: tuple[str, ...]

    def find(self, state: str) -> tuple[str, ...]:
        """Return who is told of a state."""
        return {"ALARM": self.alarm, "OK": self.ok}.get(state, self.insufficient)


@dataclass(frozen=True)
class Query:
    """One metric or expression of an alarm."""

    query_id: str
    key: MetricKey | None
    statistic: str
    expression: str


@dataclass(frozen=True)
class MetricAlarm:
    """An alarm over a metric or an expression. Period in seconds."""

    name: str
    description: str
    queries: tuple[Query, ...]
    judged: str
    band: str | None
    period: int
    periods: int
    to_alarm: int
    threshold: float
    comparison: str
    missing: Missing
    actions: Actions
    needed: int = 0
    """Values that a period of its percentile has to have; with fewer the state stays as it is."""

    def evaluate(self, read: Read, now: float) -> AlarmVerdict:
        """Return what the alarm comes to.

        Args:
            read: reads a metric's statistic by period.
            now: seconds since the epoch: full minutes before it count.
        """
        end = int(now // MINUTE) * MINUTE
        learned = _DAY // self.period if self.band else 0
        count = self.periods + max(EXTRA_PERIODS, min(learned, 288))
        times = Times(tuple(end - self.period * (count - place) for place in range(count)), self.period)
        values = self._compute(read, times, end)
        judged = values.get(self.judged)
        if not isinstance(judged, dict):
            judged = dict.fromkeys(times.starts, float(judged)) if isinstance(judged, float | int) else {}
        judged = {at: value for at, value in judged.items() if value == value}  # not a number: nothing was computed
        if self._is_low(read, times, end):
            return AlarmVerdict(None, f"fewer than {self.needed} values: the state is kept")
        breaching = [self._breaches(at, judged, values) for at in times.starts][-(self.periods + EXTRA_PERIODS) :]
        return evaluate_points(breaching, periods=self.periods, to_alarm=self.to_alarm, missing=self.missing)

    def _is_low(self, read: Read, times: Times, end: int) -> bool:
        """Tell whether the newest period that has values has too few for a percentile."""
        if not self.needed or self.queries[0].key is None:
            return False
        counts = read(self.queries[0].key, "SampleCount", self.period, times.starts[0], end)
        return bool(counts) and counts[max(counts)] < self.needed

    def _compute(self, read: Read, times: Times, end: int) -> dict[str, Value]:
        values: dict[str, Any] = {
            one.query_id: read(one.key, one.statistic, self.period, times.starts[0], end)
            for one in self.queries
            if one.key is not None
        }
        waiting = {one.query_id: one.expression for one in self.queries if one.key is None}
        while waiting:
            ready = [name for name, text in waiting.items() if not list_names(text) & waiting.keys()]
            for name in ready:
                values[name] = evaluate_expression(waiting.pop(name), values, times)
        return values

    def _breaches(self, at: int, judged: Series, values: Mapping[str, Value]) -> bool | None:
        value = judged.get(at)
        if value is None:
            return None
        if self.band is None:
            return _COMPARED[self.comparison](value, self.threshold)
        limits = values[self.band]
        if not isinstance(limits, tuple) or at not in limits[0]:
            return None  # Too little is known for a band: nothing is said.
        low, high = limits[0][at], limits[1][at]
        return ("Upper" in self.comparison and value > high) or ("Lower" in self.comparison and value < low)


@dataclass(frozen=True)
class CompositeAlarm:
    """An alarm over other alarms."""

    name: str
    description: str
    rule: str
    suppressor: Suppressor | None
    actions: Actions


def read_metric_alarm(name: str, properties: JsonObject) -> MetricAlarm:
    """Return a metric alarm, checked.

    Args:
        name: the alarm's.
        properties: of ``AWS::CloudWatch::Alarm``.

    Raises:
        ValueError: CloudWatch would refuse it, or it uses what is not evaluated here.
    """
    queries = _read_queries(properties)
    comparison, band = properties["ComparisonOperator"], properties.get("ThresholdMetricId")
    if (comparison in _OF_BANDS) != (band is not None) or comparison not in (*_COMPARED, *_OF_BANDS):
        raise ValueError(f"{comparison} does not go with {'a band' if band else 'a threshold'}")
    judged = [one for one in queries if one[1] and one[0].query_id != band]
    if len(judged) != 1:
        raise ValueError(f"exactly one of the metrics returns data, not {len(judged)}")
    period = _find_period(properties)
    periods = int(properties["EvaluationPeriods"])
    if period * periods > _DAY * (7 if period >= 3600 else 1):
        raise ValueError(f"{periods} periods of {period} seconds are more than CloudWatch looks back")
    alarm = MetricAlarm(
        name=name,
        description=properties.get("AlarmDescription", ""),
        queries=tuple(one for one, _ in queries),
        judged=judged[0][0].query_id,
        band=band,
        period=max(MINUTE, period),
        periods=periods,
        to_alarm=int(properties.get("DatapointsToAlarm") or periods),
        threshold=float(properties.get("Threshold") or 0),
        comparison=comparison,
        missing=properties.get("TreatMissingData") or "missing",
        actions=_read_actions(properties),
        needed=_find_needed(properties),
    )
    alarm.evaluate(lambda key, statistic, period, start, end: {}, _DAY * 30)  # A ring of expressions would not end.
    return alarm


def read_composite_alarm(name: str, properties: JsonObject) -> CompositeAlarm:
    """Return a composite alarm, checked.

    Args:
        name: the alarm's.
        properties: of ``AWS::CloudWatch::CompositeAlarm``.

    Raises:
        ValueError: CloudWatch would refuse it.
    """
    list_alarms(properties["AlarmRule"])
    suppressor = properties.get("ActionsSuppressor")
    periods = [properties.get(f"ActionsSuppressor{which}Period") for which in ("Wait", "Extension")]
    if suppressor is not None and any(one is None for one in periods):
        raise ValueError("ActionsSuppressor needs ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod")
    return CompositeAlarm(
        name=name,
        description=properties.get("AlarmDescription", ""),
        rule=properties["AlarmRule"],
        suppressor=None
        if suppressor is None
        else Suppressor(suppressor.rpartition(":alarm:")[2] or suppressor, *(float(one or 0) for one in periods)),
        actions=_read_actions(properties),
    )


def _read_actions(properties: JsonObject) -> Actions:
    if str(properties.get("ActionsEnabled", True)).lower() == "false":
        return Actions((), (), ())
    names = ("AlarmActions", "OKActions", "InsufficientDataActions")
    return Actions(*(tuple(properties.get(name) or ()) for name in names))


def _find_needed(properties: JsonObject) -> int:
    """Return how many values a period has to have, where few are to be ignored."""
    what = properties.get("EvaluateLowSampleCountPercentile") or "evaluate"
    if what not in ("evaluate", "ignore"):
        raise ValueError(f"EvaluateLowSampleCountPercentile is evaluate or ignore, not {what!r}")
    if what == "evaluate":
        return 0
    if "ExtendedStatistic" not in properties:
        raise ValueError("EvaluateLowSampleCountPercentile goes with a percentile in ExtendedStatistic only")
    return count_needed(properties["ExtendedStatistic"])


def _read_queries(properties: JsonObject) -> list[tuple[Query, bool]]:
    """Return the metrics and expressions, each with whether it returns data."""
    if "Metrics" not in properties:
        statistic = properties.get("ExtendedStatistic") or properties["Statistic"]
        find_statistic(str(statistic))
        return [(Query("m1", _read_key(properties), statistic, ""), True)]
    if len(properties["Metrics"]) > _MOST_QUERIES:
        raise ValueError(f"an alarm has {_MOST_QUERIES} metrics and expressions at most")
    found = []
    for one in properties["Metrics"]:
        stat = one.get("MetricStat")
        if stat is not None:
            find_statistic(stat["Stat"])
        else:
            list_names(one["Expression"])
        key = None if stat is None else _read_key(stat["Metric"])
        query = Query(one["Id"], key, "" if stat is None else stat["Stat"], one.get("Expression") or "")
        found.append((query, str(one.get("ReturnData", True)).lower() != "false"))
    ids = {query.query_id for query, _ in found}
    for query, _ in found:
        unknown = (list_names(query.expression) if query.key is None else set()) - ids
        if unknown:
            raise ValueError(f"the expression '{query.query_id}' uses {', '.join(sorted(unknown))}, which is not an id")
    _check_order({query.query_id: list_names(query.expression) for query, _ in found if query.key is None})
    return found


def _check_order(needs: Mapping[str, set[str]]) -> None:
    """Refuse expressions that need each other in a ring."""
    left = {name: needed & needs.keys() for name, needed in needs.items()}
    while left:
        ready = {name for name, needed in left.items() if not needed & left.keys()}
        if not ready:
            raise ValueError(f"the expressions {', '.join(sorted(left))} need each other")
        left = {name: needed for name, needed in left.items() if name not in ready}


def _read_key(metric: JsonObject) -> MetricKey:
    check_measured(metric["Namespace"], metric["MetricName"])
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or ()}
    return MetricKey.of(metric["Namespace"], metric["MetricName"], dimensions)


def _find_period(properties: JsonObject) -> int:
    if "Metrics" not in properties:
        return int(properties["Period"])
    periods = {int(one["MetricStat"]["Period"]) for one in properties["Metrics"] if "MetricStat" in one}
    if len(periods) != 1:
        raise ValueError("all metrics of an alarm have one period")
    return periods.pop()
