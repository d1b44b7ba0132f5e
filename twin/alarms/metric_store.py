"""The metrics that functions and services report, by the minute, for a day."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from twin.alarms.statistics import Bucket, find_statistic, join, needs_values

MINUTE = 60
KEPT_MINUTES = 27 * 60
"""CloudWatch evaluates an alarm over a day at most; with the periods before that it looks at too."""
_MINUTES_OVER = 60
"""How many more there may be until the oldest are forgotten, all at once: looking for one at each value takes long."""
MOST_METRICS = 10_000


@dataclass(frozen=True)
class MetricKey:
    """What CloudWatch bills as one metric: a namespace, a name and a set of dimensions."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "MetricKey":
        """Return the key of a metric with these dimensions."""
        return cls(namespace, name, frozenset(dimensions.items()))


Series = dict[int, float]
"""Values by the start of their period, in seconds since the epoch."""


class MetricStore:
    """Keeps values by metric and minute. Threads may add and read at once.

    Attributes:
        refused: how many values were not kept, since there were too many metrics.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._minutes: dict[MetricKey, dict[int, Bucket]] = {}
        self._lock = threading.Lock()

    def add(self, key: MetricKey, value: float, at: float, times: float = 1) -> None:
        """Keep a value.

        Args:
            key: of which metric.
            value: the value.
            at: when, in seconds since the epoch.
            times: how often it was measured.
        """
        minute = int(at // MINUTE) * MINUTE
        with self._lock:
            minutes = self._minutes.get(key)
            if minutes is None:
                if len(self._minutes) >= MOST_METRICS:
                    self.refused += 1
                    return
                minutes = self._minutes[key] = {}
            minutes.setdefault(minute, Bucket()).add(value, times)
            if len(minutes) > KEPT_MINUTES + _MINUTES_OVER:
                for old in sorted(minutes)[:-KEPT_MINUTES]:
                    del minutes[old]

    def read(self, key: MetricKey, statistic: str, period: int, start: int, end: int) -> Series:
        """Return a statistic by period, for those that have values.

        Args:
            key: of which metric.
            statistic: ``Sum``, ``p95``, ...
            period: in seconds: a multiple of a minute. Shorter ones are read as a minute.
            start: the start of the first period, in seconds since the epoch.
            end: the end of the last.
        """
        compute, period = find_statistic(statistic), max(MINUTE, period)
        buckets: dict[int, list[Bucket]] = {}
        with self._lock:
            minutes = self._minutes.get(key, {})
            first = -(-start // MINUTE) * MINUTE
            for minute in range(first, end, MINUTE) if end - start < MINUTE * len(minutes) else list(minutes):
                bucket = minutes.get(minute)
                if bucket is not None and start <= minute < end:
                    buckets.setdefault(start + (minute - start) // period * period, []).append(bucket)
            values = needs_values(statistic)
            return {at: compute(join(found, values=values)) for at, found in sorted(buckets.items())}

    def sum_up(self) -> dict[MetricKey, Bucket]:
        """Return all that is kept of each metric, as of one span of time."""
        with self._lock:
            return {key: join(list(minutes.values())) for key, minutes in self._minutes.items()}

    def list_metrics(self) -> list[MetricKey]:
        """Return the metrics that have values: what CloudWatch would bill."""
        with self._lock:
            return list(self._minutes)
