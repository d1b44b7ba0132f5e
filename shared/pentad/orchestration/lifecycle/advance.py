"""Let a session go on: start the execution of the run that holds it, or give it to the next in its queue.

Whoever finds a session where something is left to do may call this, and as often as they like: the event of a run's
end, a request that finds the session busy, a reader of a run that waits.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pentad.domain.errors import NotFound
from pentad.domain.runs import Run, RunStatus
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.announce_end import record_silent_end
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine

DIED = "the execution died"
"""The error of a run whose execution was found dead, by whoever looked."""
_HANDOVERS = 20
"""Runs of a queue whose agent is gone are failed one after the other, at most so many in one call."""


class Advance:
    """Starts executions.

    Args:
        runs: the store.
        engine: where executions run.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self, runs: RunStore, engine: WorkflowEngine, telemetry: Telemetry, *, now: Callable[[], datetime]
    ) -> None:
        self._runs = runs
        self._engine = engine
        self._telemetry = telemetry
        self._now = now

    def begin(self, run: Run, *, heals: bool) -> Run:
        """Start the execution of a run that holds its session; its name is the run's id, so a repeat is the same.

        Args:
            run: it is queued and waits for nobody.
            heals: somebody will ask again where this fails. Else the run fails, and frees its session.

        Raises:
            NotFound: the agent has no state machine; the run has failed.
            StoreUnavailable: the engine or the store did not answer.
        """
        try:
            arn = self._engine.start(run.agent, run.run_id, build_execution_input(run))
        except Exception as error:  # whatever it was, the run must not hold its session for nothing
            if not heals or isinstance(error, NotFound):
                # Nobody can ask for this run again (or it would never start), so it must not hold its session.
                self._fail(run, f"{type(error).__name__}: the execution could not be started")
            raise
        told = {"tenant": run.tenant_id, "run": run.run_id, "session": run.session_id, "agent": run.agent}
        self._telemetry.log_event("run.started", **told)
        if arn == run.execution_arn:
            return run
        self._runs.set_execution(run.tenant_id, run.run_id, arn)
        return run.model_copy(update={"execution_arn": arn})

    def __call__(self, tenant_id: str, session_id: str) -> Run | None:
        """Put right what is left to do in a session, and return the run that was started, if one was.

        Raises:
            StoreUnavailable: the store or the engine did not answer; again is safe.
        """
        for _ in range(_HANDOVERS):
            self._recover_holder(tenant_id, session_id)
            promoted = self._runs.promote(tenant_id, session_id)
            if promoted is None:
                return None
            self._telemetry.count(names.RUNS_DEQUEUED, agent=promoted.agent)
            try:
                return self.begin(promoted, heals=True)
            except NotFound:
                continue  # Its agent was removed while it waited; it has failed, and the next one's turn has come.
        return None

    def revive(self, run: Run) -> None:
        """Start a run that is stored and was never started; one that has lost its session meanwhile has failed.

        Raises:
            NotFound: its agent is gone; it has failed.
            StoreUnavailable: the store or the engine did not answer; again is safe.
        """
        self(run.tenant_id, run.session_id)
        if self._runs.find_lease_holder(run.tenant_id, run.session_id) == run.run_id:
            return
        found = self._runs.get(run.tenant_id, run.run_id)
        if found.status is RunStatus.QUEUED and not found.waiting:
            self._fail(run, "the run was never started")

    def _recover_holder(self, tenant_id: str, session_id: str) -> None:
        """Put right what a crash left of the run that holds the session: an execution never started, or dead."""
        holder = self._runs.find_lease_holder(tenant_id, session_id)
        if holder is None:
            return
        run = self._runs.get(tenant_id, holder)
        if run.status.ended:
            return
        if run.status is RunStatus.QUEUED:
            run = self.begin(run, heals=True)
        if run.execution_arn is not None and not self._engine.is_running(run.execution_arn):
            self._fail(run, DIED)

    def _fail(self, run: Run, error: str) -> None:
        at = self._now()
        ended = self._runs.finish(run.tenant_id, run.run_id, RunStatus.FAILED, at=at, answer=None, error=error)
        record_silent_end(run, ended, at, self._telemetry)


def build_execution_input(run: Run) -> dict[str, Any]:
    """Return the input of a run's execution: references only, and the step it begins with if that is a later one."""
    later = {"step": run.first_step} if run.first_step > 1 else {}
    return {"tenant": run.tenant_id, "run": run.run_id, "session": run.session_id, "agent": run.agent} | later
