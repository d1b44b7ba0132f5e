"""What the layers ask of telemetry: spans, metrics and events."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from pentad.domain.tracing import EndedSpan, SpanKind, SpanValue, TraceContext

Attribute = str | int | float | bool


class Span(Protocol):
    """An open span."""

    def set(self, name: str, value: SpanValue) -> None:
        """Set an attribute; names follow OpenTelemetry's conventions, such as ``gen_ai.request.model``."""
        ...


class Telemetry(Protocol):
    """Logs, metrics and spans of one function invocation. Content (prompts, arguments) is never passed here."""

    def span(
        self,
        name: str,
        attributes: Mapping[str, SpanValue] | None = None,
        *,
        kind: SpanKind = "INTERNAL",
        place: TraceContext | None = None,
        final: tuple[type[BaseException], ...] = (),
    ) -> AbstractContextManager[Span]:
        """Open a span; an exception that passes through is recorded by its class name and goes on.

        Args:
            name: as OpenTelemetry's conventions have it, such as ``execute_tool notes``.
            attributes: by the conventions' names.
            kind: OpenTelemetry's.
            place: its ids, where others have to know them. A try that fails has another id, since one more may follow.
            final: errors after which no other try follows: then it keeps its id, which what was asked meanwhile is
                below.
        """
        ...

    def record_span(self, span: EndedSpan) -> None:
        """Write a span that is over. Again is the same span: its ids are derived."""
        ...

    def join(self, place: TraceContext) -> None:
        """Let what follows in this invocation be below a span, such as the root of the run that was just read."""
        ...

    def add_keys(self, **keys: Attribute | None) -> None:
        """Add what became known, such as the session and the agent of a run that was read, to every line that follows.

        The keys end with the block of ``bind`` that is open: the message of a queue, an attempt, or the invocation.
        """
        ...

    def bind(self, **keys: Attribute | None) -> AbstractContextManager[None]:
        """Add keys to every line inside."""
        ...

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """Add to a metric (EMF). Units are CloudWatch's: Count, Milliseconds, Bytes, None."""
        ...

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """Write one structured log line; tenant, run, session and step are added where they are known."""
        ...
