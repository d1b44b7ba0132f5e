"""Metrics in CloudWatch's embedded metric format, grouped by their dimensions, written when an invocation ends.

Powertools makes the documents; it knows the same sets of dimensions for all metrics of a document, so one is made for
each choice of sets in use. Every metric is there over the stage alone, for alarms, and over the stage and its own sets.
"""

import json
import sys
from collections.abc import Collection, Mapping
from threading import Lock
from typing import TextIO

from aws_lambda_powertools.metrics.functions import is_metrics_disabled
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from pentad.observability.metrics.dimensions import Dimensions, Report, Sets
from pentad.observability.metrics.table import METRICS

_MAX_VALUES = 99  # Powertools writes a document by itself at 100, which would go around our stream
_Group = dict[str, tuple[str, list[float]]]


class EmfMetrics:
    """Collects metrics and writes them as EMF documents, one a line.

    Args:
        namespace: CloudWatch's namespace.
        stage: the dimension that every metric has.
        service: the function; a field of the document, not a dimension.
        stream: where documents go; standard output where None.
        told_apart: see `Dimensions`.
        report: see `Dimensions`; its lock is held meanwhile.
    """

    def __init__(
        self,
        *,
        namespace: str,
        stage: str,
        service: str,
        stream: TextIO | None = None,
        told_apart: Mapping[str, Collection[str]] | None = None,
        report: Report | None = None,
    ) -> None:
        self._namespace = namespace
        self._stage = stage
        self._service = service
        self._stream = stream
        self._dimensions = Dimensions(told_apart, report)
        self._groups: dict[Sets, _Group] = {}
        self._lock = Lock()

    def add(self, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """Add a value; a metric of the table has the unit that it has there."""
        known = METRICS.get(name)
        with self._lock:
            place = self._dimensions.limit(name, dimensions)
            group = self._groups.setdefault(place, {})
            values = group.setdefault(name, (unit if known is None else known.unit, []))[1]
            values.append(value)
            if len(values) >= _MAX_VALUES or len(group) >= _MAX_VALUES:
                self._write(place, self._groups.pop(place))

    def flush(self) -> None:
        """Write what was collected."""
        with self._lock:
            groups, self._groups = self._groups, {}
            for place, group in groups.items():
                self._write(place, group)

    def _write(self, place: Sets, group: _Group) -> None:
        if is_metrics_disabled():
            return
        # An empty service keeps Powertools from adding a dimension of its own.
        document = AmazonCloudWatchEMFProvider(namespace=self._namespace, service="")
        document.add_dimension("stage", self._stage)
        for dimensions in place:
            document.add_dimensions(stage=self._stage, **dict(dimensions))
        document.add_metadata("service", self._service)
        for name, (unit, values) in group.items():
            for value in values:
                document.add_metric(name, unit, value)
        # The stream is looked up late: the Lambda runtime may replace standard output after the import.
        print(
            json.dumps(document.serialize_metric_set(), separators=(",", ":")),
            file=self._stream or sys.stdout,
            flush=True,
        )
