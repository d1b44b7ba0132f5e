"""What runs ask of their store, of the workflow engine, of tools and of the event bus."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pentad.domain.knowledge import Citation
from pentad.domain.messages import Message
from pentad.domain.runs import Actor, Manifest, Run, RunStatus, Step, ToolCall, UndoFailure
from pentad.domain.usage import Spent
from pentad.domain.values import Page

SOURCE = "pentad"
"""The source of the stack's own events on the bus, which only its roles may put there."""
MACHINE_ALIAS = "live"
"""Every start goes to this alias: it points at the version of the machine that new runs get."""
QUEUE_LENGTH = 20
"""So many runs may wait in one session's queue."""


class RunStore(Protocol):
    """Runs with their steps and tool calls. Every write can be repeated.

    Each holder of a session has a fencing token (`Run.fence`) that is higher than every earlier one's. A run that has
    lost its session has ended by the write that took it away, and an ended run takes no step, no status and no new
    state of a call (`InvalidTransition`). Only what has happened is still written down: the end of a call.
    """

    def start(
        self, run: Run, request: Message | None, *, session_days: int, lease_seconds: int, new_session: bool = False
    ) -> Run:
        """Create the run, append the user's message and take the session's lease, all or nothing.

        Without a message the session holds the conversation already, and ``run.request_seq`` is where the user's
        stands; ``run.manifest`` may say what the run's context is.

        The session is made if it is new, unless its id is of those that only we make (`is_reserved_session`), which a
        schedule's run does; with ``new_session`` it has to be new. ``run.request_seq`` of the result is the message's
        place, ``run.fence`` its fencing token. A repeat (same run id, same request_hash) returns the stored run and
        changes nothing. An expired lease is taken over: its run fails in the same write.

        Where the session is busy and ``run.if_busy`` is ``enqueue``, the run is stored with its message and waits
        (`Run.waiting`) at the end of the session's queue. A session with a queue is busy even where no run holds it,
        but for a run that interrupts.

        Raises:
            IdempotencyConflict: the run id exists with another request_hash.
            SessionBusy: another run holds the lease, ``retry_after`` says for how long at most; or the queue is full.
            SessionConflict: the session belongs to another agent or user.
            NotFound: there is no such session, and only we make one of such an id.
            StoreUnavailable: the store did not answer, or a session that has to be new is there.
        """
        ...

    def get(self, tenant_id: str, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFound: no such run for this tenant.
        """
        ...

    def list_page(
        self, tenant_id: str, *, session_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Run]:
        """Return the tenant's runs (or one session's), the newest first."""
        ...

    def find_lease_holder(self, tenant_id: str, session_id: str) -> str | None:
        """Return the run that holds the session's lease, or None where there is none or it has expired."""
        ...

    def remove_session(self, tenant_id: str, session_id: str) -> None:
        """Remove a session with its messages. Its runs stay, with their steps, answers and costs.

        Raises:
            NotFound: there is no such session.
            SessionBusy: a run holds it, or waits for it.
            StoreUnavailable: a store did not answer; again is safe.
        """
        ...

    def find_queue_position(self, tenant_id: str, run_id: str) -> int | None:
        """Return a waiting run's place in its session's queue, from 1; None where it does not wait."""
        ...

    def promote(self, tenant_id: str, session_id: str) -> Run | None:
        """Give a session that no run holds to the next in its queue: its message, its lease, a higher fence.

        Returns:
            The run, which is to be started; None where the session is held, or nobody waits.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        ...

    def list_children(self, tenant_id: str, run_id: str) -> list[str]:
        """Return the runs whose parent this run is."""
        ...

    def set_execution(self, tenant_id: str, run_id: str, execution_arn: str) -> None:
        """Note the execution that carries the run."""
        ...

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        """Store Recall's choice and go to ``running``; a repeat keeps the first."""
        ...

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        """Go to a status that is no end, adding to the time waited for humans.

        A repeat adds nothing. The session's lease is kept longer by the time waited.

        Raises:
            InvalidTransition: the run may not go there.
        """
        ...

    def note(
        self,
        tenant_id: str,
        run_id: str,
        *,
        metadata: Mapping[str, str] | None = None,
        allowed_tools: Sequence[str] = (),
        confidence: float | None = None,
        allowed_taint: Sequence[str] = (),
        taint: Sequence[str] = (),
    ) -> Run:
        """Add to what is known of an open run; a repeat changes nothing.

        Args:
            tenant_id: the tenant.
            run_id: the run.
            metadata: entries to add or replace.
            allowed_tools: tools that a human allowed for the rest of the run.
            confidence: of a step; the run keeps the lowest.
            allowed_taint: ``TOOL|SOURCE``: what a human allowed with untrusted text of a source in the context.
            taint: sources of untrusted text that has come into the run.

        Raises:
            NotFound: no such run.
            InvalidTransition: the run has ended.
        """
        ...

    def record_step(self, step: Step, calls: list[ToolCall]) -> None:
        """Store a turn and its tool calls in one write and add its usage to the run; a repeat changes nothing.

        Raises:
            NotFound: no such run.
            InvalidTransition: the run has ended.
        """
        ...

    def find_step(self, tenant_id: str, run_id: str, step: int) -> Step | None:
        """Return a step, or None."""
        ...

    def find_step_or_run(self, tenant_id: str, run_id: str, step: int) -> Step | Run:
        """Return a step where it is stored, else its run; both are read at once.

        Raises:
            NotFound: there is neither for this tenant.
        """
        ...

    def list_steps(self, tenant_id: str, run_id: str) -> list[Step]:
        """Return all steps in order."""
        ...

    def list_calls(self, tenant_id: str, run_id: str, step: int | None = None) -> list[ToolCall]:
        """Return the tool calls of a step (or of all), in order."""
        ...

    def get_call_and_run(self, tenant_id: str, run_id: str, step: int, index: int) -> tuple[ToolCall, Run]:
        """Return one tool call and its run, which are read at once.

        Raises:
            NotFound: no such call or run for this tenant.
        """
        ...

    def get_call(self, tenant_id: str, run_id: str, step: int, index: int) -> ToolCall:
        """Return one tool call.

        Raises:
            NotFound: no such call.
        """
        ...

    def save_call(self, call: ToolCall) -> None:
        """Store a call's new state. An end (succeeded, failed, undone) is taken whatever became of the run.

        Raises:
            InvalidTransition: the stored call has already ended otherwise, or the run has ended.
        """
        ...

    def note_undo(self, tenant_id: str, run_id: str, step: int, index: int, noted: Actor | UndoFailure) -> None:
        """Write on a call who undoes it, or why that failed; the last one who tries stands there.

        Raises:
            NotFound: no such call.
            StoreUnavailable: the store did not answer.
        """
        ...

    def finish(
        self,
        tenant_id: str,
        run_id: str,
        status: RunStatus,
        *,
        at: datetime,
        answer: str | None,
        citations: tuple[Citation, ...] = (),
        notices: tuple[str, ...] = (),
        error: str | None = None,
        stop_reason: str | None = None,
        used: Spent | None = None,
        known: Run | None = None,
    ) -> Run:
        """End the run and release the session's lease, all or nothing; a repeat returns what is stored.

        ``known`` is the run as it was just read, which need not be read again: the write's condition holds or it is.
        ``used`` is what the ledger has of the run; what its steps have not counted of that is added to what it spent.
        ``hands_over`` of the result tells that others wait for the session: `promote` is to be called.
        A waiting run leaves its session's queue.
        """
        ...


class WorkflowEngine(Protocol):
    """Where executions run."""

    def start(self, agent: str, name: str, payload: dict[str, Any]) -> str:
        """Start the agent's state machine under ``name`` and return the execution's ARN.

        A repeat is the same execution; of an Express machine it is another one, which finds what the first has done.

        Raises:
            NotFound: the agent has no state machine.
            StoreUnavailable: the engine did not answer.
        """
        ...

    def build_execution_arn(self, agent: str, name: str) -> str:
        """Return the ARN that the execution ``name`` of a Standard machine has, started or not."""
        ...

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """Stop an execution; one that has ended, or does not exist, is no error.

        Raises:
            StoreUnavailable: the engine did not answer.
        """
        ...

    def complete_task(self, task_token: str, output: dict[str, Any]) -> None:
        """Let a waiting task go on.

        Raises:
            InvalidTransition: the task no longer waits.
        """
        ...

    def is_running(self, execution_arn: str) -> bool:
        """Tell whether the execution still runs; one that does not exist (yet), or is Express, counts as running.

        Raises:
            StoreUnavailable: the engine did not answer.
        """
        ...

    def get_history(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return the execution's history events, oldest first, at most 25,000; none of an Express execution."""
        ...


class ToolInvoker(Protocol):
    """Reaches the tool runner outside of a state machine."""

    def undo(self, tenant_id: str, run_id: str, step: int, index: int) -> None:
        """Let the tool undo the effect of one of its calls; a repeat changes nothing.

        Raises:
            InvalidTransition: the call has no effect that can be undone.
            NotFound: there is no such call.
            ToolFailed: the tool could not undo it.
            StoreUnavailable: the function did not answer.
        """
        ...


class EventPublisher(Protocol):
    """Tells the rest of the account."""

    def publish(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Put one event on the bus.

        Raises:
            StoreUnavailable: the bus did not take it.
        """
        ...
