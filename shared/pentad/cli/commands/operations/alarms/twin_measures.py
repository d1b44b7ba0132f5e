"""What a twin in this process has measured: log lines of functions, its services' own metrics; and its time to come."""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
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


class PassedTime:
    """Lets the schedules of a twin fire ahead of their time; what has passed so has passed for good.

    Args:
        twin: the twin.
    """

    def __init__(self, twin: "Twin") -> None:
        self._twin = twin
        self._passed = timedelta()

    def __call__(self, hours: float) -> None:
        """Fire what is due within so many more hours, each schedule once."""
        self._passed += timedelta(hours=hours)
        self._twin.pumps.timetable.fire_due(datetime.now(UTC) + self._passed)


def kill_processes(function: str) -> None:
    """End the processes of a function, by its name without the prefix, of a twin in this process."""
    import psutil

    from pentad.cli.commands.twin.options import PREFIX
    from twin.host.processes.finding import find_processes

    for one in find_processes(os.getpid(), {f"{PREFIX}-{function}"}):
        with suppress(psutil.Error):
            one.kill()
