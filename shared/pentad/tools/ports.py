"""What the tool runtime asks of its stores."""

from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.runs import Run, ToolCall


class ToolCalls(Protocol):
    """What the runtime needs of the runs: the part of orchestration's RunStore that concerns one call."""

    def get(self, tenant: str, run: str) -> Run:
        """Return a run.

        Raises:
            NotFound: no such run for this tenant.
        """
        ...

    def call(self, tenant: str, run: str, step: int, index: int) -> ToolCall:
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


class Effect(BaseModel):
    """One effect in the effect ledger, keyed by run, step, call and arguments; never by the model's word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    run: str
    effect_key: str = Field(description="SHA-256 of run, step, index, tool and canonical arguments")
    status: Literal["begun", "done"]
    result: str | None = None
    is_error: bool = False
    error_type: str | None = None
    undo: dict[str, Any] | None = None
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

    def find(self, tenant: str, run: str, key: str) -> Effect | None:
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

    def admit(self, tenant: str, agent: str, tool: str) -> str | None:
        """Return why the tool may not run now, in a sentence for the model, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def tool_succeeded(self, tenant: str, tool: str) -> None:
        """Tell that a tool has answered; costs nothing where it had not failed."""
        ...


class AuditEntry(BaseModel):
    """One line of the audit log: what ran, for whom, with what outcome. Arguments by hash, never by value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    run: str
    step: int
    index: int
    agent: str
    tool: str
    action: Literal["executed", "replayed", "denied", "undone"]
    arguments_hash: str
    outcome: Literal["ok", "error", "refused"]
    error_type: str | None = None
    at: datetime
    duration_ms: int = Field(ge=0)
    request_id: str = Field(description="of the function's invocation; makes the entry's key unique")


class AuditLog(Protocol):
    """Append only."""

    def append(self, entry: AuditEntry) -> None:
        """Append an entry; the same entry again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def of_run(self, tenant: str, run: str) -> list[AuditEntry]:
        """Return a run's entries in order."""
        ...


class Record(BaseModel):
    """One record a tool keeps for a tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: dict[str, Any]


Deletion = Literal["deleted", "absent", "changed"]


class RecordStore(Protocol):
    """Records of one tenant, by kind and key. A key is 1 to 512 characters; a value is a JSON object under 300 KB."""

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """Store a record; with ``if_absent`` return False and change nothing where one is there.

        Raises:
            InvalidInput: the key or the value is out of bounds.
            PolicyDenied: the tool has no grant to write this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a record's value, or None.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """Return at most ``limit`` (1 to 1,000) records whose keys begin so, in key order.

        Raises:
            InvalidInput: the limit is out of bounds.
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """Delete a record; with ``if_value`` only while it holds that value.

        Raises:
            PolicyDenied: the tool has no grant to write this kind.
            StoreUnavailable: the store did not answer.
        """
        ...
