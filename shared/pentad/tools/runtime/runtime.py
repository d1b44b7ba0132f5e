"""Run one tool call: policy, validation, effect once, sanitised result, audit, undo.

The writes of a call with effects, in order, and what a crash after each leaves for the next try (a retry of the state):

1. nothing written yet          the call is pending: the next try starts afresh.
2. effect begun                 the function ran, partly or not at all. An idempotent tool runs again with the same
                                effect key; any other is not repeated: the call ends as EffectUncertain, and the
                                model is told.
3. the function returned        the same as 2: nothing is known of it but that it was begun.
4. effect done                  the next try replays the stored outcome and does not call the function.
5. audit entry written          the next try replays and writes a second entry, ``replayed``: an entry an invocation.
6. call saved                   the next try returns the stored status and writes nothing.

The audit entry comes before the call is saved, so no call ends that is not in the log. Where an entry ``replayed`` has
no ``executed`` before it, the invocation that ran the function died between 4 and 5. A tool without effects skips
2 to 4: it runs again, which is harmless.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pentad.domain.canonical import call_key, effect_key
from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import (
    EffectUncertain,
    InvalidInput,
    InvalidTransition,
    PentadError,
    PolicyDenied,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
    TransientError,
)
from pentad.domain.ids import undo_token
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.records.granted_records import GrantedRecords
from pentad.tools.records.ports import RecordStore
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.outcome import ToolOutcome, call_function, make_rejected, make_uncertain
from pentad.tools.runtime.policy import check_policy
from pentad.tools.runtime.ports import AuditEntry, AuditLog, Effect, EffectStore, ToolCalls, ToolGate

_ENDED = frozenset({CallStatus.REJECTED, CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.UNDONE})
Action = Literal["executed", "replayed", "denied", "undone"]
Audited = Literal["ok", "error", "refused"]


@dataclass(frozen=True)
class Invocation:
    """One invocation of the tool's Lambda function.

    Args:
        request_id: Lambda's id of it; makes audit entries unique.
        remaining_seconds: seconds left before Lambda ends it.
    """

    request_id: str
    remaining_seconds: Callable[[], float] = lambda: 30.0


@dataclass(frozen=True)
class _Attempt:
    """One try of one call or of its undo."""

    call: ToolCall
    run: Run
    invocation: Invocation
    key: str
    started_at: datetime
    started: float


class ToolRuntime:
    """The one wrapper around every tool.

    Args:
        tool: the declared tool.
        catalog: says which agents may use it.
        runs: runs and their tool calls; every `RunStore` will do.
        effects: the effect ledger.
        audit: the audit log.
        records: makes the record store of a tenant; only asked where the tool declares a grant on records.
        telemetry: spans and metrics of the calls.
        now: the clock, UTC.
        timer: seconds that only go forward, for durations.
        gate: tells what is switched off or out of order; none lets everything run.
    """

    def __init__(
        self,
        tool: Tool[Any, Any],
        *,
        catalog: Catalog,
        runs: ToolCalls,
        effects: EffectStore,
        audit: AuditLog,
        records: Callable[[str], RecordStore],
        telemetry: Telemetry,
        now: Callable[[], datetime],
        timer: Callable[[], float] = time.monotonic,
        gate: ToolGate | None = None,
    ) -> None:
        self._tool = tool
        self._catalog = catalog
        self._runs = runs
        self._effects = effects
        self._audit = audit
        self._records = records
        self._telemetry = telemetry
        self._now = now
        self._timer = timer
        self._gate = gate

    def execute(
        self, tenant_id: str, run_id: str, agent: str, step: int, index: int, *, invocation: Invocation
    ) -> dict[str, Any]:
        """Run the call if it has not ended, and return its reference: ``{"index": int, "status": str}``.

        What the tool itself gets wrong is a result for the model, not an exception.

        Raises:
            NotFound: there is no such run or call for this tenant.
            PolicyDenied: the call may not run; nothing was run.
            TransientError: try again; nothing is lost or doubled by it.
        """
        name = self._tool.name
        with self._telemetry.span(
            f"execute_tool {name}", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        ) as span:
            call = self._runs.get_call(tenant_id, run_id, step, index)
            span.set("gen_ai.tool.call.id", call.call_id)
            if call.status not in _ENDED:
                call = self._try(self._start_attempt(call, invocation, "run"), agent)
            span.set("pentad.tool.status", call.status.value)
            return {"index": index, "status": call.status.value}

    def undo(self, tenant_id: str, run_id: str, step: int, index: int, *, invocation: Invocation) -> dict[str, Any]:
        """Undo the effect of a call once, and return the call's reference.

        Raises:
            NotFound: there is no such run or call for this tenant.
            InvalidTransition: the call is another tool's, did not succeed, or can't be undone.
            ToolFailed: the undo function failed; where it said so itself (`ToolFailed`) it may be tried again.
            EffectUncertain: an earlier undo was cut off and the tool is not idempotent; it was not repeated.
            TransientError: try again.
        """
        name = self._tool.name
        with self._telemetry.span(f"undo_tool {name}", {"gen_ai.tool.name": name}):
            call = self._runs.get_call(tenant_id, run_id, step, index)
            if call.status is not CallStatus.UNDONE:
                self._check_undoable(call)
                call = self._undo(self._start_attempt(call, invocation, "undo"))
            return {"index": index, "status": call.status.value}

    def _start_attempt(self, call: ToolCall, invocation: Invocation, action: str) -> _Attempt:
        return _Attempt(
            call=call,
            run=self._runs.get(call.tenant_id, call.run_id),
            invocation=invocation,
            key=(
                call_key(call)
                if action == "run"
                else effect_key(call.run_id, call.step, call.index, call.tool, call.arguments, action=action)
            ),
            started_at=self._now(),
            started=self._timer(),
        )

    def _try(self, attempt: _Attempt, agent: str) -> ToolCall:
        try:
            check_policy(self._tool.spec, self._catalog, attempt.run, attempt.call, agent)
        except PolicyDenied as error:
            self._note(attempt, "denied", "refused", type(error).__name__)
            raise
        try:
            action, outcome = self._act(attempt)
        except InvalidTransition as error:
            self._note(attempt, "denied", "refused", type(error).__name__)
            raise PolicyDenied(error.message, field="run") from error
        audited: Audited = "refused" if action == "denied" else "error" if outcome.is_error else "ok"
        self._note(attempt, action, audited, outcome.error_type)
        return self._save(attempt, outcome)

    def _act(self, attempt: _Attempt) -> tuple[Action, ToolOutcome]:
        try:
            values = validate_arguments(self._tool, attempt.call.arguments)
        except InvalidInput as error:
            return "denied", make_rejected(error)
        refusal = self._find_refusal(attempt)
        context = self._make_context(attempt)
        if self._tool.spec.effects != "none":
            action, outcome = self._run_once(attempt, values, context, refusal)
        elif refusal is not None:
            return "denied", refusal
        else:
            action, outcome = "executed", call_function(self._tool, values, context)
        if action == "executed" and self._gate is not None:
            self._gate.record_success(attempt.call.tenant_id, self._tool.name)
        return action, outcome

    def _find_refusal(self, attempt: _Attempt) -> ToolOutcome | None:
        """Return the outcome of a call that may not run now: its tool is switched off, or out of order for a while."""
        if self._gate is None:
            return None
        sentence = self._gate.admit(attempt.call.tenant_id, attempt.run.agent, self._tool.name)
        return None if sentence is None else ToolOutcome(sentence, is_error=True, error_type=ToolUnavailable.__name__)

    def _run_once(
        self, attempt: _Attempt, values: dict[str, Any], context: ToolContext, refusal: ToolOutcome | None
    ) -> tuple[Action, ToolOutcome]:
        effect = self._make_effect(attempt)
        # What an earlier try has done counts, whatever has been switched off since.
        earlier = self._effects.begin(effect, in_open_run=True)
        if earlier is not None and earlier.status == "done":
            return "replayed", ToolOutcome.from_effect(earlier)
        if earlier is not None and not self._tool.spec.idempotent:
            return "denied", make_uncertain()
        if refusal is not None and earlier is not None:
            return "denied", make_uncertain()
        if refusal is not None:
            self._effects.release(effect)
            return "denied", refusal
        try:
            outcome = call_function(self._tool, values, context)
        except ToolThrottled:
            # A backend that refused the call for its rate did nothing: the state's retry may begin again.
            if earlier is None:
                self._effects.release(effect)
            raise
        self._effects.finish(
            effect.model_copy(
                update={
                    "status": "done",
                    "result": outcome.text,
                    "is_error": outcome.is_error,
                    "error_type": outcome.error_type,
                    "undo": outcome.undo,
                    "done_at": self._now(),
                }
            )
        )
        return "executed", outcome

    def _make_effect(self, attempt: _Attempt) -> Effect:
        return Effect(
            tenant_id=attempt.call.tenant_id,
            run_id=attempt.call.run_id,
            effect_key=attempt.key,
            status="begun",
            begun_at=attempt.started_at,
        )

    def _save(self, attempt: _Attempt, outcome: ToolOutcome) -> ToolCall:
        call = attempt.call
        ended = call.model_copy(
            update={
                "status": CallStatus.FAILED if outcome.is_error else CallStatus.SUCCEEDED,
                "result": outcome.text,
                "is_error": outcome.is_error,
                "untrusted": not self._tool.spec.trusted_output,
                "error_type": outcome.error_type,
                "undo": outcome.undo,
                "undo_token": undo_token(call.run_id, call.step, call.index) if outcome.undo is not None else None,
                "started_at": attempt.started_at,
                "ended_at": self._now(),
            }
        )
        try:
            self._runs.save_call(ended)
        except InvalidTransition:
            stored = self._runs.get_call(call.tenant_id, call.run_id, call.step, call.index)
            if stored.status not in _ENDED:
                raise
            return stored  # another try ended it meanwhile; its word stands
        return ended

    def _check_undoable(self, call: ToolCall) -> None:
        if call.tool != self._tool.name:
            raise InvalidTransition(f"the call is of the tool '{call.tool}', not of '{self._tool.name}'", field="tool")
        if call.status is not CallStatus.SUCCEEDED:
            raise InvalidTransition(f"a call that is {call.status.value} can't be undone", field="status")
        if self._tool.undo is None or call.undo is None:
            raise InvalidTransition("the call left nothing to undo", field="undo_token")

    def _undo(self, attempt: _Attempt) -> ToolCall:
        effect = self._make_effect(attempt)
        earlier = self._effects.begin(effect)
        if earlier is not None and earlier.status == "begun" and not self._tool.spec.idempotent:
            self._note(attempt, "undone", "refused", EffectUncertain.__name__)
            raise EffectUncertain(
                "an earlier undo was cut off and may or may not have happened; it was not repeated",
                fix="look whether it happened, and undo the rest by hand",
            )
        if earlier is None or earlier.status == "begun":
            self._run_undo(attempt, effect)
            self._effects.finish(effect.model_copy(update={"status": "done", "done_at": self._now()}))
        self._note(attempt, "undone", "ok", None)
        undone = attempt.call.model_copy(update={"status": CallStatus.UNDONE})
        self._runs.save_call(undone)
        return undone

    def _run_undo(self, attempt: _Attempt, effect: Effect) -> None:
        undo = self._tool.undo
        if undo is None:  # _check_undoable has seen to it
            raise InvalidTransition("the tool has no undo", field="undo_token")
        try:
            undo.function(undo.data.validate_python(attempt.call.undo), self._make_context(attempt))
        except ToolThrottled:
            self._effects.release(effect)
            raise
        except TransientError:
            raise
        except ToolFailed as error:
            # The function says itself that it undid nothing, so it may be tried again when the reason is gone.
            self._effects.release(effect)
            self._note(attempt, "undone", "error", type(error).__name__)
            raise
        except Exception as error:  # a boundary: an undo may raise anything; what it left is not known
            self._note(attempt, "undone", "error", type(error).__name__)
            if isinstance(error, PentadError):
                raise
            raise ToolFailed(ToolOutcome.from_error(error).text) from error

    def _make_context(self, attempt: _Attempt) -> ToolContext:
        call, grants = attempt.call, self._tool.grants
        tables = {"records": GrantedRecords(self._records(call.tenant_id), grants, self._tool.name)} if grants else {}
        return ToolContext(
            tenant=call.tenant_id,
            run=call.run_id,
            session=attempt.run.session_id,
            user=attempt.run.user_id,
            step=call.step,
            index=call.index,
            effect_key=attempt.key,
            now=self._now,
            remaining_seconds=attempt.invocation.remaining_seconds,
            tables=tables,
        )

    def _note(self, attempt: _Attempt, action: Action, outcome: Audited, error_type: str | None) -> None:
        call, name = attempt.call, self._tool.name
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
        if action == "undone":
            self._telemetry.count(names.TOOL_UNDOS, tool=name, outcome=outcome)
            return
        self._telemetry.count(names.TOOL_CALLS, tool=name, outcome="replayed" if action == "replayed" else outcome)
        self._telemetry.count(names.TOOL_DURATION, duration_ms, unit="Milliseconds", tool=name)
