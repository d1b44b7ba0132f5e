"""One try of one call, and its entries in the audit: before anything with an effect is begun, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.runs import Run, ToolCall
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.tools.runtime.ports import GRAPH_ENTRY, AuditEntry, AuditLog, InnerAudit

Action = Literal["executed", "replayed", "denied", "undone"]
Asked = Literal["asked", "undo_asked"]
Audited = Literal["ok", "error", "refused"]


@dataclass(frozen=True)
class Invocation:
    """One invocation of the runner's Lambda function.

    Args:
        request_id: Lambda's id of it; makes audit entries unique.
        function: ARN of the version of the tool's function that the run began with; None for the newest.
        deadline: ``time.time()`` by which the tool's function has to have answered.
    """

    request_id: str
    function: str | None = None
    deadline: float = float("inf")


@dataclass(frozen=True)
class CallTry:
    """One try of one call or of its undo."""

    spec: ToolSpec
    call: ToolCall
    run: Run
    invocation: Invocation
    key: str
    started_at: datetime
    started: float


class CallAudit:
    """Writes the entries of calls, and counts how they ended.

    Args:
        audit: the audit log.
        inner: what graphs noted of the tools that ran inside them; None where no tool is a graph.
        telemetry: metrics of the calls.
        now: the clock, UTC.
        timer: seconds that only go forward, for durations.
    """

    def __init__(
        self,
        audit: AuditLog,
        inner: InnerAudit | None,
        telemetry: Telemetry,
        now: Callable[[], datetime],
        timer: Callable[[], float],
    ) -> None:
        self._audit = audit
        self._inner = inner
        self._telemetry = telemetry
        self._now = now
        self._timer = timer

    def end(self, attempt: CallTry, action: Action, outcome: Audited, error_type: str | None) -> None:
        """Write down how a try ended, and count it.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        name, duration_ms = attempt.spec.name, self.append(attempt, action, outcome, error_type)
        if action == "undone":
            self._telemetry.count(names.TOOL_UNDOS, tool=name, outcome=outcome)
            return
        self._telemetry.count(names.TOOL_CALLS, tool=name, outcome="replayed" if action == "replayed" else outcome)
        self._telemetry.count(names.TOOL_DURATION, duration_ms, unit="Milliseconds", tool=name)

    def append(self, attempt: CallTry, action: Action | Asked, outcome: Audited, error_type: str | None) -> int:
        """Append an entry to the audit, and return the milliseconds that the try has taken so far.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        call, name = attempt.call, attempt.spec.name
        duration_ms = max(0, round((self._timer() - attempt.started) * 1000))
        self._audit.append(
            AuditEntry(
                tenant_id=call.tenant_id,
                run_id=call.run_id,
                step=call.step,
                index=call.index,
                agent=attempt.run.agent,
                tool=name,
                action=action,
                arguments_hash=call.arguments_hash,
                outcome=outcome,
                error_type=error_type,
                at=self._now(),
                duration_ms=duration_ms,
                request_id=attempt.invocation.request_id,
            )
        )
        return duration_ms

    def take_inner(self, attempt: CallTry) -> None:
        """Put into the audit log what ran inside of a graph, by the graph's word, under the call's own names.

        Raises:
            StoreUnavailable: a store did not answer.
        """
        if self._inner is None:
            return
        call = attempt.call
        place = {"tenant_id": call.tenant_id, "run_id": call.run_id, "step": call.step, "index": call.index}
        told = place | {"agent": attempt.run.agent, "action": "executed"}
        found = self._inner.list_for_call(attempt.spec.name, call.tenant_id, call.run_id, call.step, call.index)
        # An id of its own kind: no note of a graph takes the place of an entry of the runner.
        named = [(entry, f"{GRAPH_ENTRY}{entry.request_id.removeprefix(GRAPH_ENTRY)}") for entry in found]
        self._audit.append(*(entry.model_copy(update=told | {"request_id": name}) for entry, name in named))
