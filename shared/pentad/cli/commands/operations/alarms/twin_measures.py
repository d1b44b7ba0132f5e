"""What a twin in this process has measured since a moment: log lines of functions, and its services' own metrics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.alarms.metric_store import MetricStore

if TYPE_CHECKING:
    from twin.alarms.metric_store import MetricKey
    from twin.alarms.statistics import Bucket
    from twin.running.twin import Twin


class TwinMeasures:
    """`Measures` of a twin whose alarms are not evaluated.

    Args:
        twin: the twin.
    """

    def __init__(self, twin: "Twin") -> None:
        self._twin = twin

    def begin(self) -> None:
        """See `Measures`."""
        self._twin.flush_logs()
        self._twin.alarms.take_samples()
        self._twin.alarms.store = MetricStore()

    def take(self) -> "Mapping[MetricKey, Bucket]":
        """See `Measures`."""
        self._twin.flush_logs()
        self._twin.alarms.take_samples()
        return self._twin.alarms.store.sum_up()
