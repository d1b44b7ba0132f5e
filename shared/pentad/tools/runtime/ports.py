"""What the runtime of tools asks of its stores."""

from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import Field

from pentad.domain.runs import Run, ToolCall
from pentad.domain.values import FrozenValue
from pentad.tools.runtime.handed import HandedCall, SessionKeys, ToolAnswer


class ToolCalls(Protocol):
    """What the runtime needs of the runs: the part of orchestration's RunStore that concerns one call."""

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
        """Store a call's new state; from succeeded the way leads to undone only.

        Raises:
            InvalidTransition: the stored call has already ended otherwise.
        """
        ...


class Effect(FrozenValue):
    """One effect in the effect ledger, keyed by run, step, call and arguments; never by the model's word."""

    tenant_id: str
    run_id: str
    effect_key: str = Field(description="SHA-256 of run, step, index, tool and canonical arguments")
    status: Literal["begun", "done"]
    result: str | None = None
    is_error: bool = False
    error_type: str | None = None
    undo: dict[str, Any] | None = None
    masked: int = 0
    untrusted: bool = Field(default=False, description="the result holds text from outside, by the call's own word")
    sources: tuple[str, ...] = Field(default=(), description="of text from outside in records that it has read")
    begun_at: datetime
    done_at: datetime | None = None


class EffectStore(Protocol):
    """Effects happen once: a retry finds what the first try left."""

    def begin(self, effect: Effect, *, in_open_run: bool = False) -> Effect | None:
        """Store a begun effect and return None, or return what an earlier try stored.

        Args:
            effect: the effect.
            in_open_run: begin it only while its run has not ended, in the same write.

        Raises:
            InvalidTransition: the run has ended, and nothing was begun before.
            StoreUnavailable: the store did not answer.
        """
        ...

    def find(self, tenant_id: str, run_id: str, key: str) -> Effect | None:
        """Return what is known of an effect, or None where it was never begun, or was released.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def finish(self, effect: Effect) -> None:
        """Store the outcome; a repeat keeps the first.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def release(self, effect: Effect) -> None:
        """Forget a begun effect of which it is certain that it did not happen; one that is done stays.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class ToolGate(Protocol):
    """Tells what an operator has switched off, and which tools are out of order for a while."""

    def admit(self, tenant_id: str, agent: str, tool: str, call_key: str) -> str | None:
        """Return why the tool may not run now, in a sentence for the model, or None.

        Args:
            tenant_id: the tenant.
            agent: who calls.
            tool: the tool.
            call_key: the call's: where it tries a tool that was out of order, its next try does too.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def record_success(self, tenant_id: str, tool: str) -> None:
        """Tell that a tool has answered; costs nothing where it had not failed.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        """Tell that a tool has raised an error; one that is its caller's is not counted.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


GRAPH_ENTRY = "graph-"
"""With it begin the ids of entries that graphs noted: none takes the place of an entry of the runner."""


class AuditEntry(FrozenValue):
    """One line of the audit log: what ran, for whom, with what outcome. Arguments by hash, never by value."""

    tenant_id: str
    run_id: str
    step: int
    index: int
    agent: str
    tool: str
    action: Literal["asked", "executed", "replayed", "denied", "undo_asked", "undone"] = Field(
        description="asked: before anything with an effect is begun; the others: how it ended"
    )
    arguments_hash: str
    outcome: Literal["ok", "error", "refused"]
    error_type: str | None = None
    at: datetime
    duration_ms: int = Field(ge=0)
    request_id: str = Field(description="of the function's invocation; makes the entry's key unique")

    @property
    def is_asked(self) -> bool:
        """It says what was about to be done, and not how it ended."""
        return self.action in ("asked", "undo_asked")

    @property
    def entry_id(self) -> str:
        """What tells it from the other entries of the call: an invocation asks, and ends."""
        return f"{self.request_id}#{self.action}" if self.is_asked else self.request_id

    @property
    def of_graph(self) -> bool:
        """The tool ran inside of a graph, by the graph's word."""
        return self.request_id.startswith(GRAPH_ENTRY)


class AuditLog(Protocol):
    """What was written stays as it is: no method changes or removes an entry."""

    def append(self, *entries: AuditEntry) -> None:
        """Append entries; the same entry again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """Return a run's entries in order."""
        ...


class ToolFunctions(Protocol):
    """Reaches the tools' functions, each of which runs one tool's code with a role of its own."""

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """Let a tool's function do what it is handed, and return what it answers.

        Args:
            tool: the tool's name.
            handed: the call, or its undo.
            function: ARN of a version of the tool's function; None for the newest.

        Raises:
            ToolBusy: Lambda has no room for the function yet; nothing was begun.
            ToolThrottled: what a call needs, or Lambda itself, could not be reached; nothing was begun.
            ToolUnavailable: the function did not answer, or died: it may have done all, a part, or nothing.
            ToolFailed: the function ended with an error of its own, outside of the tool's code.
            PolicyDenied: ``function`` is not this tool's; nothing was begun.
            ConfigurationError: there is no such function.
        """
        ...


class CallOrder(Protocol):
    """Says whose turn it is among calls that may not run at once."""

    def take(self, tenant_id: str, place: str, owner: str, *, seconds: float) -> bool:
        """Take a place and return True, or return False while another call has it.

        Args:
            tenant_id: the tenant.
            place: what the calls have in common.
            owner: the call; it may take again what it has.
            seconds: after so long the place is free, if it is not given back.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def give_back(self, tenant_id: str, place: str, owner: str) -> None:
        """Let the next one have the place; nothing where another call has it already.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class DataKeys(Protocol):
    """Gives a tool's function credentials for one tenant's records, and for one run's checkpoints."""

    def get(self, tool: str, tenant_id: str, run_id: str, *, seconds: float) -> SessionKeys | None:
        """Return credentials for a call, or None where the tool reaches no data.

        Args:
            tool: the tool's name.
            tenant_id: whose records.
            run_id: whose checkpoints.
            seconds: how long they are needed at least.

        Raises:
            StoreUnavailable: they could not be had.
        """
        ...


class InnerAudit(Protocol):
    """What graphs note of the tools that run inside them, for the runner to take over into the audit log."""

    def list_for_call(self, tool: str, tenant_id: str, run_id: str, step: int, index: int) -> list[AuditEntry]:
        """Return the entries of one call over all its tries; none for a tool that is no graph.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
