"""Where spans stand: ids of traces and spans, derived of what names them, so that a retry writes the same."""

import hashlib
from typing import TYPE_CHECKING

from pentad.domain.tracing.context import TraceContext, parse_traceparent

if TYPE_CHECKING:  # What writes log lines has no need of runs, and of what they bring along.
    from pentad.domain.runs import Run

_TRACE_CHARACTERS = 32
_SPAN_CHARACTERS = 16


def derive_span_id(*parts: str | int) -> str:
    """Return a span's id of what names it: the same parts make the same id, in every try."""
    return _compute_digest(_SPAN_CHARACTERS, "span", *parts)


def find_root_place(tenant_id: str, run_id: str, traceparent: str | None = None) -> TraceContext:
    """Return the place of a run's root span: in the trace of whoever caused it, or in one of its own."""
    caller = parse_traceparent(traceparent)
    trace_id = _compute_digest(_TRACE_CHARACTERS, "trace", tenant_id, run_id) if caller is None else caller.trace_id
    return TraceContext(trace_id, derive_span_id(tenant_id, run_id))


def find_run_place(run: "Run") -> TraceContext:
    """Return the place of a run's root span."""
    return find_root_place(run.tenant_id, run.run_id, run.traceparent)


def find_call_place(tenant_id: str, run_id: str, step: int, index: int, traceparent: str | None = None) -> TraceContext:
    """Return the place of a tool call's span, in the trace of its run's root."""
    trace_id = find_root_place(tenant_id, run_id, traceparent).trace_id
    return TraceContext(trace_id, derive_span_id(tenant_id, run_id, "call", step, index))


def find_retrieval_place(root: TraceContext) -> TraceContext:
    """Return the place of a run's search for passages: embedding its question is below it.

    Args:
        root: the run's place.
    """
    return TraceContext(root.trace_id, derive_span_id(root.span_id, "retrieval"))


def find_node_place(call: TraceContext, number: int) -> TraceContext:
    """Return the place of the span of one run of a graph's node.

    Args:
        call: the place of the tool's call.
        number: of the run among those of the call, over all its tries.
    """
    return TraceContext(call.trace_id, derive_span_id(call.span_id, "node", number))


def _compute_digest(characters: int, *parts: str | int) -> str:
    # With each part's length, so that no two lists of parts are written alike.
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:characters]
