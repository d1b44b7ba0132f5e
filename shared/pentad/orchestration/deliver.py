"""The end of a run: its answer with citations, or why there is none; and the end of a tool call that died."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from pentad.domain.errors import InvalidTransition, NotFound, leaves
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Citation
from pentad.domain.runs import ApprovalStatus, CallStatus, Run, RunStatus, Step, ToolCall
from pentad.memory.citations import resolve_citations, without_markers
from pentad.memory.ports import SessionStore
from pentad.observability import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.ports import ApprovalStore, EventPublisher, RunStore

FINISHED = "pentad.run.finished"
_OURS = frozenset(leaf.__name__ for leaf in leaves())
_CAUSE_CHARACTERS = 500


class Deliver:
    """Ends runs.

    Args:
        runs: the store of runs.
        sessions: the store of sessions.
        approvals: the store of approvals; one that nobody can answer any more is closed.
        events: tells the rest of the account.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        approvals: ApprovalStore,
        events: EventPublisher,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._approvals = approvals
        self._events = events
        self._telemetry = telemetry
        self._now = now

    def deliver(self, tenant: str, run: str, step: int) -> Run:
        """End a run by the decision of its last step: answered, degraded or stopped.

        Raises:
            NotFound: no such run, or it has no such step.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        current = self._runs.get(tenant, run)
        if current.status.ended:
            return self._told(current)
        steps = self._runs.steps(tenant, run)
        last = next((one for one in steps if one.step == step), None)
        if last is None:
            raise NotFound("the run has no such step", field="step")
        text, citations, notices = self._answer(current, last)
        stopped = last.decision.kind == "stop"
        ended = self._runs.finish(
            tenant,
            run,
            _status_of(last),
            at=self._now(),
            answer=text,
            citations=citations,
            notices=_once([*(notice for one in steps for notice in one.notices), *notices]),
            stop_reason=last.decision.reason if stopped else None,
        )
        return self._told(ended)

    def abort(self, tenant: str, run: str, error: str, cause: str) -> Run:
        """End a run whose execution failed.

        Args:
            tenant: the tenant.
            run: the run.
            error: the error's name in the state machine.
            cause: what Step Functions says of it; only the message of an error of ours is kept.
        """
        current = self._runs.get(tenant, run)
        if current.status.ended:
            return self._told(current)
        self._close_approval(current)
        text = f"{error}: {said(error, cause)}"
        self._telemetry.event("run.failed", level="ERROR", error=error)
        return self._told(self._runs.finish(tenant, run, RunStatus.FAILED, at=self._now(), answer=None, error=text))

    def call_failed(self, tenant: str, run: str, step: int, index: int, error: str, cause: str) -> ToolCall:
        """Store a tool call whose function failed for good as an error result, so that the model is told."""
        call = self._runs.call(tenant, run, step, index)
        failed = call.model_copy(
            update={
                "status": CallStatus.FAILED,
                "result": f"The tool failed ({error}): {said(error, cause)}",
                "is_error": True,
                "error_type": error,
                "ended_at": self._now(),
            }
        )
        try:
            self._runs.save_call(failed)
        except InvalidTransition:
            # It had ended before its function's answer was lost: what is stored is what happened.
            return self._runs.call(tenant, run, step, index)
        self._telemetry.event("tool.failed", level="WARNING", tool=call.tool, error=error)
        return failed

    def _answer(self, run: Run, step: Step) -> tuple[str | None, tuple[Citation, ...], tuple[str, ...]]:
        if step.message_seq is None:
            return None, (), ()
        first = run.manifest.epoch_first_seq if run.manifest else run.request_seq
        stored = self._sessions.read(run.tenant, run.session, min(first, step.message_seq), step.message_seq)
        if not stored or stored[-1].seq != step.message_seq:
            raise NotFound("the step's message is not in the session", field="step")
        text = stored[-1].message.text
        citations, unknown = resolve_citations(text, stored)
        if not unknown:
            return text, citations, ()
        notice = f"Citations that point to no passage were removed: {', '.join(unknown)}."
        return without_markers(text, unknown), citations, (notice,)

    def _close_approval(self, run: Run) -> None:
        if run.status is not RunStatus.AWAITING_HUMAN:
            return
        step = max((one.step for one in self._runs.steps(run.tenant, run.run)), default=1)
        try:
            self._approvals.decide(
                run.tenant,
                approval_id(run.run, step),
                ApprovalStatus.EXPIRED,
                by="system",
                reason="the run failed",
                at=self._now(),
            )
        except (InvalidTransition, NotFound):
            return  # It was decided, or never made: nothing is pending.

    def _told(self, run: Run) -> Run:
        """Publish the end. A retry publishes again: subscribers tell repeats by the run's id."""
        detail = {
            "tenant": run.tenant,
            "run": run.run,
            "agent": run.agent,
            "session": run.session,
            "status": run.status.value,
            "steps": run.spent.steps,
            "cost_nanousd": run.spent.cost_nanousd,
        }
        self._events.publish(FINISHED, detail)
        self._telemetry.count(names.RUNS_ENDED, agent=run.agent, status=run.status.value)
        if run.ended_at is not None:
            duration = (run.ended_at - run.created_at).total_seconds() * 1000
            self._telemetry.count(names.RUN_DURATION, duration, unit="Milliseconds", agent=run.agent)
        self._telemetry.count(names.RUN_STEPS, run.spent.steps, agent=run.agent)
        self._telemetry.count(names.RUN_COST, run.spent.cost_nanousd, unit="None", agent=run.agent)
        return run


def said(error: str, cause: str) -> str:
    """Return what may be told of an error: our own message, or that something unexpected happened.

    Other errors' causes hold tracebacks and values, which belong in the log only.
    """
    if error in _OURS:
        try:
            message = json.loads(cause).get("errorMessage")
        except (ValueError, AttributeError):
            message = None  # The definition cuts long causes, so it may be JSON no more.
        if isinstance(message, str) and message:
            return message[:_CAUSE_CHARACTERS]
    if error in {"States.Timeout", "Sandbox.Timedout"}:
        return "it did not answer in time"
    return "an unexpected error; the function's log has it"


def _status_of(step: Step) -> RunStatus:
    if step.decision.kind == "stop":
        return RunStatus.STOPPED
    return RunStatus.DEGRADED if step.degraded else RunStatus.SUCCEEDED


def _once(notices: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notices))
