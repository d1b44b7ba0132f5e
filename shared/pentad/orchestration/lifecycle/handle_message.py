"""Handle a message of the trigger's queues: start a run, start a session's next run, end a dead run, or redrive one."""

from typing import Protocol

from pentad.domain.errors import NotFound
from pentad.domain.runs import Run
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.advance import DIED
from pentad.orchestration.lifecycle.queue_messages import Again, Died, Freed, Read, RunRequested
from pentad.orchestration.lifecycle.redrive import Redrive
from pentad.orchestration.lifecycle.start import StartRun
from pentad.orchestration.runs.ports import RunStore


class Aborts(Protocol):
    """What ends runs whose execution is gone: `pentad.orchestration.lifecycle.deliver.Deliver`."""

    def abort(self, tenant_id: str, run_id: str, error: str, cause: str) -> Run:
        """End a run whose execution failed."""
        ...


class Triggered:
    """Handles messages.

    Args:
        start: starts runs.
        redrive: lets failed ones go on.
        aborts: ends those whose execution is gone.
        runs: the store of runs.
        telemetry: logs.
    """

    def __init__(self, start: StartRun, redrive: Redrive, aborts: Aborts, runs: RunStore, telemetry: Telemetry) -> None:
        self._start = start
        self._redrive = redrive
        self._aborts = aborts
        self._runs = runs
        self._telemetry = telemetry

    def __call__(self, read: Read) -> None:
        """Do what a message asks for; each may come twice.

        Raises:
            PentadError: it could not be done; a transient one comes again.
        """
        match read:
            case RunRequested(message, trigger, key, requester, traceparent):
                self._start(
                    message.tenant_id,
                    message.to_request(),
                    trigger=trigger,
                    requester=requester,
                    idempotency_key=key,
                    traceparent=traceparent,
                )
            case Freed(tenant_id, session_id):
                self._start.advance(tenant_id, session_id)
            case Again(tenant_id, run_id):
                self._redrive(tenant_id, run_id)
            case Died(tenant_id, run_id, error):
                self._end(tenant_id, run_id, error)

    def _end(self, tenant_id: str, run_id: str, error: str) -> None:
        try:
            found = self._runs.get(tenant_id, run_id)
        except NotFound:
            self._telemetry.log_event("execution.of_no_run", level="WARNING", tenant=tenant_id, run=run_id)
            return
        if not found.status.ended or found.error == DIED:
            # Who found the execution dead before this event came has ended the run and told nobody.
            self._aborts.abort(tenant_id, run_id, error, "")
        elif found.hands_over:
            # Its end was told once already; this is for an event that was lost.
            self._start.advance(tenant_id, found.session_id)
