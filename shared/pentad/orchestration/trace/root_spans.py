"""The spans that are written when something is over that no function lived through: a run, and a human's wait. Pure."""

from pentad.domain.runs import Approval, Run, RunStatus, ToolCall
from pentad.domain.tracing import (
    EndedSpan,
    SpanValue,
    TraceContext,
    derive_span_id,
    find_call_place,
    find_root_place,
    find_run_place,
    parse_traceparent,
)
from pentad.tools.runtime.call_spans import build_call_attributes

_FAILED = "failed"


def build_root_span(run: Run) -> EndedSpan:
    """Return the root span of a run that has ended: below its caller's span, where one is known.

    Args:
        run: as it is stored. A retry finds the same times, and so writes the same span.
    """
    caller = parse_traceparent(run.traceparent)
    operation = "invoke_workflow" if run.kind == "workflow" else "invoke_agent"
    return EndedSpan(
        name=f"{operation} {run.agent}",
        place=find_run_place(run),
        start=run.created_at,
        end=run.ended_at or run.updated_at,
        parent_id=None if caller is None else caller.span_id,
        attributes=_build_attributes(run, operation),
        error=_name_error(run),
        links=_list_links(run),
    )


def _build_attributes(run: Run, operation: str) -> dict[str, SpanValue]:
    used = run.spent.usage
    cached = used.cache_read_tokens + used.cache_write_5m_tokens + used.cache_write_1h_tokens
    told: dict[str, SpanValue | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.agent.name": run.agent,
        "gen_ai.conversation.id": run.session_id,
        "gen_ai.usage.input_tokens": used.input_tokens + cached,
        "gen_ai.usage.output_tokens": used.output_tokens,
        "pentad.cost.nanousd": run.spent.cost_nanousd,
        "pentad.tenant": run.tenant_id,
        "pentad.run": run.run_id,
        "pentad.status": run.status.value,
        "pentad.trigger": run.trigger,
        "pentad.steps": run.spent.steps,
        "pentad.confidence": run.confidence,
        "pentad.waited_seconds": run.waited_seconds or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _name_error(run: Run) -> str | None:
    """Return the class of what a run failed by; its error begins with it where one is known."""
    if run.status is not RunStatus.FAILED:
        return None
    name = (run.error or "").partition(":")[0]
    return name if name and " " not in name else _FAILED


def _list_links(run: Run) -> tuple[TraceContext, ...]:
    """Return the roots of the runs that this one goes on for. Theirs may be in a caller's trace, which nobody knows."""
    earlier = (run.redrive_of_run_id, run.forked_from_run_id)
    return tuple(find_root_place(run.tenant_id, run_id) for run_id in earlier if run_id is not None)


def build_wait_span(run: Run, approval: Approval, outcome: str) -> EndedSpan:
    """Return the span of the time that a run waited for a human.

    Args:
        run: whose approval it is.
        approval: decided, or expired.
        outcome: what came of it.
    """
    root = find_run_place(run)
    return EndedSpan(
        name=f"await_human {approval.kind}",
        place=TraceContext(root.trace_id, derive_span_id(run.tenant_id, run.run_id, "wait", approval.approval_id)),
        start=approval.created_at,
        end=approval.decided_at or approval.created_at,
        parent_id=root.span_id,
        attributes={"pentad.approval.kind": approval.kind, "pentad.approval.outcome": outcome},
    )


def build_failed_call_span(run: Run, call: ToolCall) -> EndedSpan:
    """Return the span of a tool call whose function failed for good, or was killed: it could write none itself."""
    ended = call.ended_at or run.updated_at
    return EndedSpan(
        name=f"execute_tool {call.tool}",
        place=find_call_place(run.tenant_id, run.run_id, call.step, call.index, run.traceparent),
        start=call.started_at or ended,
        end=ended,
        parent_id=find_run_place(run).span_id,
        attributes={**build_call_attributes(call), "pentad.tool.status": call.status.value},
        error=call.error_type or _FAILED,
    )
