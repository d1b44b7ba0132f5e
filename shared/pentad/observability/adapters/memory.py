"""Telemetry kept in lists, for tests to look at; it refuses what the real one would have to drop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pentad.domain.tracing import EndedSpan, SpanKind, SpanValue, TraceContext, derive_span_id, enter_place
from pentad.observability.metrics.table import check_count
from pentad.observability.ports import Attribute, Span
from pentad.observability.spans.conventions import check_span


@dataclass
class RecordedSpan:
    """A span as it was."""

    name: str
    attributes: dict[str, SpanValue]
    parent: str | None = None
    error: str | None = None
    ended: bool = False
    kind: SpanKind = "INTERNAL"
    place: TraceContext | None = None
    is_final: bool = True

    def set(self, name: str, value: SpanValue) -> None:
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
    ended: list[EndedSpan] = field(default_factory=list)
    joined: list[TraceContext] = field(default_factory=list)
    _open: list[RecordedSpan] = field(default_factory=list)

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, SpanValue] | None = None,
        *,
        kind: SpanKind = "INTERNAL",
        place: TraceContext | None = None,
        final: tuple[type[BaseException], ...] = (),
    ) -> Iterator[Span]:
        """See `Telemetry`.

        Raises:
            ValueError: it is not as the conventions have it; see `check_span`.
        """
        place = place or TraceContext("1" * 32, derive_span_id(name, len(self.spans)))
        above = self._open[-1].name if self._open else None
        span = RecordedSpan(name, dict(attributes or {}), above, kind=kind, place=place)
        self.spans.append(span)
        self._open.append(span)
        try:
            with enter_place(place):
                yield span
            check_span(name, kind, span.attributes)
        except BaseException as error:
            span.error = type(error).__name__
            span.is_final = isinstance(error, final)
            raise
        finally:
            span.ended = True
            self._open.remove(span)

    def record_span(self, span: EndedSpan) -> None:
        """See `Telemetry`.

        Raises:
            ValueError: it is not as the conventions have it; see `check_span`.
        """
        check_span(span.name, span.kind, span.attributes)
        self.ended.append(span)

    def join(self, place: TraceContext) -> None:
        """See `Telemetry`."""
        self.joined.append(place)

    def add_keys(self, **keys: Attribute | None) -> None:
        """See `Telemetry`."""
        self.keys.update({name: value for name, value in keys.items() if value is not None})

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`.

        Raises:
            ValueError: it is not as the table has it; see `check_count`.
        """
        check_count(name, unit, dimensions)
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
