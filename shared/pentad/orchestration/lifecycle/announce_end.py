"""Announce the end of a run: close its open approvals, publish one event, count its metrics."""

from datetime import datetime
from typing import Any

from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.runs import ApprovalStatus, Run, RunStatus
from pentad.domain.tracing import HEADER, find_run_place
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import EventPublisher
from pentad.orchestration.trace.root_spans import build_root_span

FINISHED = "pentad.run.finished"
_TEXT_CHARACTERS = 500
_BAD = frozenset({RunStatus.FAILED, RunStatus.DEGRADED})


def build_detail(run: Run) -> dict[str, Any]:
    """Return the event's detail: enough to go on without the run, and to start a failed one again.

    ``waiting`` tells that others wait for the session: the rule that starts the next looks at it. Nobody's words are in
    it: the request is named by its place in the session.
    """
    detail: dict[str, Any] = {
        "tenant": run.tenant_id,
        "run": run.run_id,
        "agent": run.agent,
        "session": run.session_id,
        "status": run.status.value,
        "steps": run.spent.steps,
        "cost_nanousd": run.spent.cost_nanousd,
        "waiting": run.hands_over,
        "request_seq": run.request_seq,
        # What is done after the run is below its root.
        HEADER: find_run_place(run).header,
    }
    optional = {
        "execution": run.execution_arn,
        "parent": run.parent_run_id,
        "error": None if run.error is None else run.error[:_TEXT_CHARACTERS],
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
    }
    return detail | {name: value for name, value in optional.items() if value is not None}


def publish_finished(run: Run, events: EventPublisher, telemetry: Telemetry) -> Run:
    """Publish the end of a run and return it. A retry publishes again: subscribers tell repeats by the run's id.

    Raises:
        StoreUnavailable: the bus did not take it.
    """
    telemetry.record_span(build_root_span(run))
    events.publish(FINISHED, build_detail(run))
    _count_end(run, telemetry)
    return run


def record_silent_end(before: Run, ended: Run, at: datetime, telemetry: Telemetry) -> None:
    """Write the root span and the metrics of a run that ended without a word, once: only who ended it does.

    Args:
        before: the run as it was read.
        ended: what the store returned.
        at: the time that was given to the store; of a run that another ended, the store returns the other's.
        telemetry: takes them.
    """
    if before.status.ended or ended.ended_at != at:
        return
    telemetry.record_span(build_root_span(ended))
    _count_end(ended, telemetry)


def _count_end(run: Run, telemetry: Telemetry) -> None:
    telemetry.count(names.RUNS_ENDED, agent=run.agent, status=run.status.value)
    telemetry.count(names.RUNS_FAILED, float(run.status in _BAD), agent=run.agent)
    if run.ended_at is not None:
        duration = (run.ended_at - run.created_at).total_seconds() * 1000
        telemetry.count(names.RUN_DURATION, duration, unit="Milliseconds", agent=run.agent)
        active = max(0.0, duration - run.waited_seconds * 1000)
        telemetry.count(names.RUN_ACTIVE, active, unit="Milliseconds", agent=run.agent)
    telemetry.count(names.RUN_STEPS, run.spent.steps, agent=run.agent)
    telemetry.count(names.RUN_COST, run.spent.cost_nanousd, unit="None", agent=run.agent)


def close_approvals(run: Run, approvals: ApprovalStore, *, reason: str, at: datetime) -> None:
    """Close what of a run still waits for a human, at whichever step; again is the same.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    for approval in approvals.list_for_run(run.tenant_id, run.run_id):
        if approval.status is not ApprovalStatus.PENDING:
            continue
        try:
            approvals.decide(
                run.tenant_id, approval.approval_id, ApprovalStatus.EXPIRED, by="system", reason=reason, at=at
            )
        except (InvalidTransition, NotFound):
            continue  # It was decided at this moment: nothing is pending.
