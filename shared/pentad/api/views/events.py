"""A run's events in time order, gathered from its stores. Pure but for the reads."""

from collections.abc import Iterator

from pentad.api.views.approvals import build_approval_view
from pentad.api.views.views import Event, build_call_view
from pentad.domain.money import show
from pentad.domain.runs import Run, Step
from pentad.models.ledger.ports import Ledger
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import RunStore

_ORDER = ("run.created", "model_attempt", "step", "approval", "tool_call", "run.ended")


def collect_events(run: Run, runs: RunStore, ledger: Ledger, approvals: ApprovalStore) -> tuple[Event, ...]:
    """Return all that happened in a run, the first first."""
    steps = runs.list_steps(run.tenant_id, run.run_id)
    events = [
        *_build_run_events(run),
        *(_build_step_event(step) for step in steps),
        *_read_attempt_events(run, ledger),
        *_read_call_events(run, runs, steps),
        *_read_approval_events(run, approvals),
    ]
    return tuple(sorted(events, key=lambda event: (event.at, _ORDER.index(event.type))))


def _build_run_events(run: Run) -> Iterator[Event]:
    created = {"trigger": run.trigger, "agent": run.agent, "session": run.session_id}
    yield Event(at=run.created_at, type="run.created", detail=created)
    if run.ended_at is not None:
        ended = {
            "status": run.status.value,
            "error": run.error,
            "stop_reason": run.stop_reason,
            "notices": list(run.notices),
            "tokens": run.spent.usage.total_tokens,
            "cost": show(run.spent.cost_nanousd),
        }
        yield Event(at=run.ended_at, type="run.ended", detail=ended)


def _build_step_event(step: Step) -> Event:
    detail = step.model_dump(mode="json", exclude={"tenant_id", "run_id", "started_at"})
    return Event(at=step.started_at, type="step", step=step.step, detail=detail)


def _read_attempt_events(run: Run, ledger: Ledger) -> Iterator[Event]:
    for attempt in ledger.list_for_run(run.tenant_id, run.run_id):
        detail = attempt.model_dump(mode="json", exclude={"context", "started_at"})
        yield Event(
            at=attempt.started_at,
            type="model_attempt",
            step=attempt.context.step,
            detail=detail | {"purpose": attempt.context.purpose},
        )


def _read_call_events(run: Run, runs: RunStore, steps: list[Step]) -> Iterator[Event]:
    began = {step.step: step.started_at for step in steps}
    for call in runs.list_calls(run.tenant_id, run.run_id):
        detail = build_call_view(call).model_dump(mode="json", exclude={"run_id"})
        at = call.started_at or call.ended_at or began.get(call.step, run.created_at)
        yield Event(at=at, type="tool_call", step=call.step, detail=detail)


def _read_approval_events(run: Run, approvals: ApprovalStore) -> Iterator[Event]:
    for approval in approvals.list_for_run(run.tenant_id, run.run_id):
        detail = build_approval_view(approval).model_dump(mode="json")
        yield Event(at=approval.created_at, type="approval", step=approval.step, detail=detail)
