"""Telemetry that goes nowhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pentad.domain.tracing import EndedSpan, SpanKind, SpanValue, TraceContext
from pentad.observability.ports import Attribute, Span


class NullSpan:
    """A span that keeps nothing."""

    def set(self, name: str, value: SpanValue) -> None:
        """See `Span`."""


class NullTelemetry:
    """Keeps nothing."""

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
        """See `Telemetry`."""
        yield NullSpan()

    def record_span(self, span: EndedSpan) -> None:
        """See `Telemetry`."""

    def join(self, place: TraceContext) -> None:
        """See `Telemetry`."""

    def add_keys(self, **keys: Attribute | None) -> None:
        """See `Telemetry`."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """See `Telemetry`."""

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """See `Telemetry`."""

    @contextmanager
    def bind(self, **keys: Attribute | None) -> Iterator[None]:
        """Do nothing, as the others do something."""
        yield
