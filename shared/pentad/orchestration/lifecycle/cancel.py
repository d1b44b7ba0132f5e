"""Cancel a run: it ends, its session is free, its execution stops, and nobody is asked about it any more.

The end is one conditional write. What follows from it may be repeated by whoever cancels again: the runs of its steps,
its open approval, the event, the execution. Where a crash cuts this short, the execution finds the run ended at its
next write, and tells. A tool that is running may end: what it did is written down.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from pentad.domain.errors import InvalidInput, InvalidTransition
from pentad.domain.runs import Run, RunStatus
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.announce_end import close_approvals, publish_finished
from pentad.orchestration.runs.ports import EventPublisher, RunStore, WorkflowEngine

REASON_CHARACTERS = 300


class CancelRun:
    """Cancels runs.

    Args:
        runs: the store of runs.
        approvals: the store of approvals.
        engine: where executions run.
        events: tells the rest of the account.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        runs: RunStore,
        approvals: ApprovalStore,
        engine: WorkflowEngine,
        events: EventPublisher,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._approvals = approvals
        self._engine = engine
        self._events = events
        self._telemetry = telemetry
        self._now = now

    def __call__(self, tenant_id: str, run_id: str, *, by: str, reason: str | None = None) -> Run:
        """Cancel a run and the runs of its steps. Again does what is left of it.

        Raises:
            NotFound: no such run for this tenant.
            InvalidInput: the reason is too long.
            InvalidTransition: the run has ended otherwise.
            StoreUnavailable: a store, the bus or the engine did not answer; again is safe.
        """
        if reason is not None and len(reason) > REASON_CHARACTERS:
            raise InvalidInput(f"the reason has more than {REASON_CHARACTERS} characters", field="reason")
        executions: list[str] = []  # as many as the run has steps that are runs, and itself
        ended = self._end(tenant_id, run_id, by, reason, executions)
        # Last: until here a crash leaves an execution that will find the run ended, and tell. A workflow's before those
        # of its steps: else it may take the end of a step for its failure.
        for execution_arn in executions:
            self._engine.stop(execution_arn, error="Cancelled", cause="the run was cancelled")
        return ended

    def _end(self, tenant_id: str, run_id: str, by: str, reason: str | None, executions: list[str]) -> Run:
        """End a run and the runs of its steps, and note their executions."""
        before = self._runs.get(tenant_id, run_id)
        said = f"Cancelled by {by}" + (f": {reason}" if reason else ".")
        ended = self._runs.finish(tenant_id, run_id, RunStatus.CANCELLED, at=self._now(), answer=None, stop_reason=said)
        if ended.status is not RunStatus.CANCELLED:
            raise InvalidTransition(f"the run has ended: it is {ended.status}", field="run")
        if ended.execution_arn is not None:
            executions.append(ended.execution_arn)
        for child_run_id in self._runs.list_children(tenant_id, run_id):
            with suppress(InvalidTransition):  # It had ended before.
                self._end(tenant_id, child_run_id, "its workflow", reason, executions)
        close_approvals(ended, self._approvals, reason="the run was cancelled", at=self._now())
        if not before.status.ended:
            self._telemetry.log_event("run.cancelled", tenant=tenant_id, run=run_id)
        publish_finished(ended, self._events, self._telemetry)
        return ended
