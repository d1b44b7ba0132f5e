"""Read metrics out of log lines: CloudWatch's Embedded Metric Format. Pure.

Source: "Specification: Embedded metric format" of the CloudWatch user guide.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from twin.alarms.metric_store import MetricKey

_MOST_DIMENSIONS = 30
_MOST_VALUES = 100


class Measured(NamedTuple):
    """A value of a metric; ``at`` is in seconds since the epoch."""

    key: MetricKey
    value: float
    at: float


def read_line(line: str) -> list[Measured]:
    """Return the values of a log line; none of a line that is no document of the format, as CloudWatch does."""
    if '"_aws"' not in line:
        return []
    try:
        return list(_read_document(json.loads(line)))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return []


def _read_document(document: Any) -> Iterator[Measured]:
    about = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("Timestamp"), int | float):
        return
    for directive in about.get("CloudWatchMetrics") or ():
        if isinstance(directive, dict) and isinstance(directive.get("Namespace"), str):
            yield from _read_directive(document, directive, about["Timestamp"] / 1000)


def _read_directive(document: dict[str, Any], directive: dict[str, Any], at: float) -> Iterator[Measured]:
    for names in directive.get("Dimensions") or [[]]:
        if len(names) > _MOST_DIMENSIONS or any(not isinstance(document.get(name), str) for name in names):
            continue
        dimensions = {name: document[name] for name in names}
        for metric in directive.get("Metrics") or ():
            key = MetricKey.of(directive["Namespace"], metric["Name"], dimensions)
            given = document.get(metric["Name"])
            values = given if isinstance(given, list) else [given]
            for value in values[:_MOST_VALUES]:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield Measured(key, float(value), at)
