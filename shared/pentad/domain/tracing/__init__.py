"""Traces: where spans stand, what is open here, and what is told to others of it; see `docs/traces.md`."""

from pentad.domain.tracing.context import (
    HEADER,
    TraceContext,
    enter_invocation,
    here,
    parse_traceparent,
    read_traceparent,
    within,
)
from pentad.domain.tracing.places import derive_span_id, place_call, place_root, place_run
from pentad.domain.tracing.spans import EndedSpan, SpanKind, SpanValue

__all__ = [
    "HEADER",
    "EndedSpan",
    "SpanKind",
    "SpanValue",
    "TraceContext",
    "derive_span_id",
    "enter_invocation",
    "here",
    "parse_traceparent",
    "place_call",
    "place_root",
    "place_run",
    "read_traceparent",
    "within",
]
