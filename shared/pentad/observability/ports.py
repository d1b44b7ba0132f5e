"""What the layers ask of telemetry: spans, metrics and events."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Attribute = str | int | float | bool


class Span(Protocol):
    """An open span."""

    def set(self, name: str, value: Attribute) -> None:
        """Set an attribute; names follow OpenTelemetry's conventions, such as ``gen_ai.request.model``."""
        ...


class Telemetry(Protocol):
    """Logs, metrics and spans of one function invocation. Content (prompts, arguments) is never passed here."""

    def span(self, name: str, attributes: Mapping[str, Attribute] | None = None) -> AbstractContextManager[Span]:
        """Open a span; an exception that passes through is recorded by its class name and goes on."""
        ...

    def count(self, name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
        """Add to a metric (EMF). Units are CloudWatch's: Count, Milliseconds, Bytes, None."""
        ...

    def log_event(self, name: str, /, *, level: str = "INFO", **fields: Attribute | None) -> None:
        """Write one structured log line; tenant, run, session and step are added where they are known."""
        ...
