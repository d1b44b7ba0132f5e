"""A span that is over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pentad.domain.tracing.context import TraceContext

SpanKind = Literal["INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"]
SpanValue = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True)
class EndedSpan:
    """A span that is written when it is over.

    Args:
        name: such as ``chat claude-opus-5-5``.
        place: its own ids.
        start: when it began, UTC.
        end: when it ended, UTC.
        parent_id: the span around it; None for the first of a trace.
        attributes: by OpenTelemetry's names; ours begin with ``pentad.``.
        kind: OpenTelemetry's.
        error: the class of what failed; None where nothing did.
        links: spans that belong to it and are not around it.
    """

    name: str
    place: TraceContext
    start: datetime
    end: datetime
    parent_id: str | None
    attributes: dict[str, SpanValue]
    kind: SpanKind = "INTERNAL"
    error: str | None = None
    links: tuple[TraceContext, ...] = ()
