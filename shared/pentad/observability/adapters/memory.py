"""Telemetry kept in lists, for tests to look at; it refuses what the real one would have to drop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pentad.observability.metrics.names import DIMENSIONS, UNITS
from pentad.observability.ports import Attribute, Span


@dataclass
class RecordedSpan:
    """A span as it was."""

    name: str
    attributes: dict[str, Attribute]
    parent: str | None = None
    error: str | None = None
    ended: bool = False

    def set(self, name: str, value: Attribute) -> None:
        """See `Span`."""
        self.attributes[name] = value


@dataclass(frozen=True)
class RecordedCount:
    """One addition to a metric."""

    name: str
    value: float
    unit: str
    dimensions: dict[str, str]


@dataclass(frozen=True)
class RecordedEvent:
    """One log line."""

    name: str
    level: str
    fields: dict[str, Attribute | None]


@dataclass
class MemoryTelemetry:
    """Records spans, counts and events."""

    spans: list[RecordedSpan] = field(default_factory=list)
    counts: list[RecordedCount] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    keys: dict[str, Attribute | None] = field(default_factory=dict)
    _open: list[RecordedSpan] = field(default_factory=list)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> Iterator[Span]:
        """See `Telemetry`."""
        span = RecordedSpan(name, dict(attributes or {}), self._open[-1].name if self._open else None)
        self.spans.append(span)
        self._open.append(span)
        try:
            yield span
        except BaseException as error:
            span.error = type(error).__name__
            raise
        finally:
            span.ended = True
            self._open.remove(span)

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`.

        Raises:
            ValueError: a dimension is not one of `DIMENSIONS`, or the unit is not the metric's.
        """
        unknown = set(dimensions) - DIMENSIONS
        if unknown:
            raise ValueError(f"metric {name} has dimensions that names.py does not list: {sorted(unknown)}")
        if UNITS.get(name, unit) != unit:
            raise ValueError(f"metric {name} has the unit {UNITS[name]}, not {unit}")
        self.counts.append(RecordedCount(name, value, unit, dimensions))

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """See `Telemetry`."""
        self.events.append(RecordedEvent(name, level, {**self.keys, **fields}))

    @contextmanager
    def bind(self, **keys: Attribute | None) -> Iterator[None]:
        """Add keys to every event inside."""
        before = dict(self.keys)
        self.keys.update(keys)
        try:
            yield
        finally:
            self.keys = before
