"""Traces: where spans stand, what is open here, and what is told to others of it; see `docs/traces.md`."""

from pentad.domain.tracing.context import (
    HEADER,
    TraceContext,
    enter_invocation,
    enter_place,
    get_open_place,
    parse_traceparent,
    read_traceparent,
)
from pentad.domain.tracing.places import (
    derive_span_id,
    find_call_place,
    find_node_place,
    find_retrieval_place,
    find_root_place,
    find_run_place,
)
from pentad.domain.tracing.spans import EndedSpan, SpanKind, SpanValue

__all__ = [
    "HEADER",
    "EndedSpan",
    "SpanKind",
    "SpanValue",
    "TraceContext",
    "derive_span_id",
    "enter_invocation",
    "enter_place",
    "find_call_place",
    "find_node_place",
    "find_retrieval_place",
    "find_root_place",
    "find_run_place",
    "get_open_place",
    "parse_traceparent",
    "read_traceparent",
]
