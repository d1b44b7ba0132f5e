"""Run one tool call: policy, effect once, the tool's function, sanitised result, audit, undo.

This is the tool runner, a function of the stack: it decides, and it writes what is true of a call. The tool's code runs
in the tool's own function, which is handed the call and can reach nothing of the run.

The writes of a call with effects, in order, and what a crash after each leaves for the next try (a retry of the state),
whether it was the runner or the tool's function that died:

1. nothing written yet          the call is pending: the next try starts afresh.
2. effect begun                 the function ran, partly or not at all. An idempotent tool runs again with the same
                                effect key; any other is not repeated: the call ends as EffectUncertain, and the
                                model is told.
3. the function answered        the same as 2: nothing is known of it but that it was begun. Where it answered that the
                                arguments are not valid, and so nothing was run, the effect is released.
4. effect done                  the next try replays the stored outcome and does not call the function.
5. audit entry written          the next try replays and writes a second entry, ``replayed``: an entry an invocation.
6. call saved                   the next try returns the stored status and writes nothing.

Before 2 stands an audit entry ``asked``, so an effect that can't be recorded does not happen: the state tries again
later. The entry with the outcome comes before the call is saved, so no call ends that is not in the log. Where an entry
``replayed`` has no ``executed`` before it, the invocation that ran the function died between 4 and 5. A tool without
effects skips 2 to 4, and ``asked``: it runs again, which is harmless.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pentad.domain.canonical import call_key, effect_key
from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.errors import (
    EffectUncertain,
    InvalidTransition,
    PentadError,
    PolicyDenied,
    ToolBusy,
    ToolFailed,
)
from pentad.domain.ids import undo_token
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.domain.tracing import find_call_place, find_run_place, read_traceparent
from pentad.observability.ports import Telemetry
from pentad.tools.offer.own import find_spec
from pentad.tools.policy.admission import CallAdmission
from pentad.tools.policy.final_arguments import select_arguments
from pentad.tools.results.keep import KeepResults
from pentad.tools.runtime.call_audit import Action, Audited, CallAudit, CallTry
from pentad.tools.runtime.call_audit import Invocation as Invocation
from pentad.tools.runtime.call_spans import build_call_attributes
from pentad.tools.runtime.handed import NOT_BEGUN, HandedCall, ToolAnswer
from pentad.tools.runtime.one_by_one import OneByOne
from pentad.tools.runtime.outcome import ToolOutcome, make_again_error, make_outcome, make_uncertain, make_undo_error
from pentad.tools.runtime.policy import check_policy, check_undoable, find_sources, find_written_sources, make_gone_spec
from pentad.tools.runtime.ports import AuditLog, Effect, EffectStore, InnerAudit, ToolCalls, ToolFunctions, ToolGate

_ENDED = frozenset({CallStatus.REJECTED, CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.UNDONE})


class ToolRunner:
    """The one way to every tool's function.

    Args:
        catalog: what is known of the tools, and which agents may use them.
        runs: runs and their tool calls; every `RunStore` will do.
        functions: reaches the tools' functions.
        effects: the effect ledger.
        audit: the audit log.
        telemetry: spans and metrics of the calls.
        now: the clock, UTC.
        timer: seconds that only go forward, for durations.
        gate: tells what is switched off or out of order; none lets everything run.
        inner: what graphs noted of the tools that ran inside them; none where no tool is a graph.
        order: lets calls of tools that say so run one after the other; without it all run at once.
        results: keeps the whole of results that are shown in part; without it nothing is kept.
        admission: holds calls to their tools' rates, and to the sums of rules.
        tell_lost: is told of each call whose function gave no answer.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        runs: ToolCalls,
        functions: ToolFunctions,
        effects: EffectStore,
        audit: AuditLog,
        telemetry: Telemetry,
        now: Callable[[], datetime],
        timer: Callable[[], float] = time.monotonic,
        gate: ToolGate | None = None,
        inner: InnerAudit | None = None,
        order: OneByOne | None = None,
        results: KeepResults | None = None,
        admission: CallAdmission | None = None,
        tell_lost: Callable[[ToolCall], None] = lambda _: None,
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._functions = functions
        self._effects = effects
        self._entries = CallAudit(audit, inner, telemetry, now, timer)
        self._telemetry = telemetry
        self._now = now
        self._timer = timer
        self._gate = gate
        self._order = order or OneByOne(None)
        self._results = results or KeepResults(None)
        self._admission = admission or CallAdmission()
        self._tell_lost = tell_lost

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
        call, run = self._runs.get_call_and_run(tenant_id, run_id, step, index)
        self._telemetry.join(find_run_place(run))
        self._telemetry.add_keys(session=run.session_id, agent=run.agent)
        place = find_call_place(tenant_id, run_id, step, index, run.traceparent)
        with self._telemetry.span(f"execute_tool {call.tool}", build_call_attributes(call), place=place) as span:
            if call.status not in _ENDED:
                call = self._try(self._start_attempt(call, run, invocation, "run"), agent)
            span.set("pentad.tool.status", call.status.value)
            return {"index": index, "status": call.status.value}

    def undo(self, tenant_id: str, run_id: str, step: int, index: int, *, invocation: Invocation) -> dict[str, Any]:
        """Undo the effect of a call once, and return the call's reference.

        Raises:
            NotFound: there is no such run or call for this tenant.
            InvalidTransition: the call did not succeed, or can't be undone.
            ToolFailed: the undo function failed; where it said so itself (`ToolFailed`) it may be tried again.
            EffectUncertain: an earlier undo was cut off and the tool is not idempotent; it was not repeated.
            TransientError: try again.
        """
        call, run = self._runs.get_call_and_run(tenant_id, run_id, step, index)
        self._telemetry.join(find_run_place(run))
        self._telemetry.add_keys(session=run.session_id, agent=run.agent)
        with self._telemetry.span(f"undo_tool {call.tool}", {"gen_ai.tool.name": call.tool}):
            if call.status is not CallStatus.UNDONE:
                attempt = self._start_attempt(call, run, invocation, "undo")
                check_undoable(attempt.spec, attempt.call)
                call = self._undo(attempt)
            return {"index": index, "status": call.status.value}

    def _start_attempt(self, call: ToolCall, run: Run, invocation: Invocation, action: str) -> CallTry:
        spec = find_spec(self._catalog, call.tool) or make_gone_spec(call.tool)
        return CallTry(
            spec=spec,
            call=call,
            run=run,
            invocation=invocation,
            key=(
                call_key(call)
                if action == "run"
                else effect_key(call.run_id, call.step, call.index, call.tool, call.arguments, action=action)
            ),
            started_at=self._now(),
            started=self._timer(),
        )

    def _try(self, attempt: CallTry, agent: str) -> ToolCall:
        try:
            check_policy(attempt.spec, self._catalog, attempt.run, attempt.call, agent)
        except PolicyDenied as error:
            left = self._find_left(attempt, agent)
            if left is None:
                self._entries.end(attempt, "denied", "refused", type(error).__name__)
                raise
            return self._end(attempt, *left)
        try:
            with self._order.hold(attempt.spec, attempt.call, attempt.run, attempt.key, attempt.invocation.deadline):
                action, outcome = self._act(attempt)
        except ToolBusy as busy:
            if not self._is_over(attempt.run):
                raise
            # The run has no time for another wait: its next turn stops it, and says so.
            action, outcome = "denied", ToolOutcome.from_error(busy)
        except InvalidTransition as error:
            self._give_back(attempt)
            self._entries.end(attempt, "denied", "refused", type(error).__name__)
            raise PolicyDenied(error.message, field="run") from error
        return self._end(attempt, action, outcome)

    def _find_left(self, attempt: CallTry, agent: str) -> tuple[Action, ToolOutcome] | None:
        """Return how a call ends that may not run any more, and that an earlier try has begun, or done."""
        run = attempt.run
        if attempt.spec.effects == "none" or run.agent != agent or run.status.ended:
            return None
        earlier = self._effects.find(run.tenant_id, run.run_id, attempt.key)
        if earlier is not None and earlier.status == "done":
            return "replayed", ToolOutcome.from_effect(earlier)
        return None if earlier is None else ("denied", make_uncertain())

    def _end(self, attempt: CallTry, action: Action, outcome: ToolOutcome) -> ToolCall:
        if action == "denied" and outcome.error_type != EffectUncertain.__name__:
            self._give_back(attempt)
        audited: Audited = "refused" if action == "denied" else "error" if outcome.is_error else "ok"
        self._entries.end(attempt, action, audited, outcome.error_type)
        return self._save(attempt, outcome)

    def _is_over(self, run: Run) -> bool:
        """Tell if a run of an agent has used its time up; a workflow's steps have times of their own."""
        agent = self._catalog.agents.get(run.agent)
        passed = (self._now() - run.created_at).total_seconds() - run.waited_seconds
        return agent is not None and run.kind != "workflow" and passed >= agent.limits.seconds

    def _act(self, attempt: CallTry) -> tuple[Action, ToolOutcome]:
        refusal = self._find_refusal(attempt)
        if attempt.spec.effects != "none":
            action, outcome = self._run_once(attempt, refusal)
        elif refusal is not None:
            return "denied", refusal
        else:
            action, outcome = self._call_without_effect(attempt)
        # A call whose earlier try was cut off ran too. An outage shows so where a tool may not run again.
        if action == "executed" or (action == "denied" and outcome.error_type == EffectUncertain.__name__):
            self._tell_gate(attempt, outcome)
        return action, outcome

    def _tell_gate(self, attempt: CallTry, outcome: ToolOutcome) -> None:
        """Count how a tool that ran has ended; the call's end must not fail with it."""
        gate, tenant_id, name = self._gate, attempt.call.tenant_id, attempt.spec.name
        if gate is None or outcome.callers_fault:
            return
        try:
            if outcome.is_error:
                gate.record_failure(tenant_id, name, outcome.error_type or ToolFailed.__name__)
            else:
                gate.record_success(tenant_id, name)
        except PentadError as unheard:
            self._telemetry.log_event("tool.not_counted", level="WARNING", error=type(unheard).__name__)

    def _give_back(self, attempt: CallTry) -> None:
        """Take a call of which nothing ran out of its sums; what a failed run has begun before this one stays in."""
        if attempt.call.effect_key is None:
            self._admission.give_back(attempt.spec, attempt.run, attempt.call)

    def _call_without_effect(self, attempt: CallTry) -> tuple[Action, ToolOutcome]:
        try:
            return self._call(attempt)
        except NOT_BEGUN:
            self._give_back(attempt)
            raise

    def _find_refusal(self, attempt: CallTry) -> ToolOutcome | None:
        """Return the outcome of a call that may not run now."""
        run, gate, name = attempt.run, self._gate, attempt.spec.name
        admit = None if gate is None else partial(gate.admit, run.tenant_id, run.agent, name, attempt.key)
        found = self._admission.refuse(attempt.spec, run, attempt.call, admit)
        return None if found is None else ToolOutcome(found[0], is_error=True, error_type=found[1])

    def _run_once(self, attempt: CallTry, refusal: ToolOutcome | None) -> tuple[Action, ToolOutcome]:
        effect = self._make_effect(attempt)
        if refusal is None:
            self._entries.append(attempt, "asked", "ok", None)
        # What an earlier try has done counts, whatever has been switched off since.
        earlier = self._effects.begin(effect, in_open_run=True)
        if earlier is not None and earlier.status == "done":
            return "replayed", ToolOutcome.from_effect(earlier)
        if earlier is not None and (refusal is not None or not attempt.spec.idempotent):
            return "denied", make_uncertain()
        if refusal is not None:
            self._effects.release(effect)
            return "denied", refusal
        try:
            action, outcome = self._call(attempt, again=earlier is not None or attempt.call.effect_key is not None)
        except NOT_BEGUN:
            if earlier is None:
                self._effects.release(effect)
                self._give_back(attempt)
            raise
        if action == "denied":
            self._effects.release(effect)
            return action, outcome
        self._effects.finish(effect.model_copy(update=outcome.to_stored() | {"status": "done", "done_at": self._now()}))
        return "executed", outcome

    def _call(self, attempt: CallTry, *, again: bool = False) -> tuple[Action, ToolOutcome]:
        """Let the tool's function run the call; ``again`` where an earlier try was begun."""
        try:
            answer = self._hand_over(attempt, "run", again=again)
        except PentadError:
            self._tell_lost(attempt.call)
            raise
        finally:
            self._entries.take_inner(attempt)
        if answer.kind == "again":
            raise make_again_error(answer)
        spec, fit = attempt.spec, self._results.make_fit(attempt.call)
        outcome = make_outcome(answer, reversible=spec.reversible, safe=spec.safe_output, fit=fit)
        return ("denied" if answer.kind == "rejected" else "executed"), outcome

    def _hand_over(self, attempt: CallTry, op: Literal["run", "undo"], *, again: bool) -> ToolAnswer:
        call, invocation = attempt.call, attempt.invocation
        seconds = min(float(attempt.spec.timeout_seconds), invocation.deadline - time.time())
        handed = HandedCall(
            op=op,
            tenant_id=call.tenant_id,
            run_id=call.run_id,
            session_id=attempt.run.session_id,
            user_id=attempt.run.user_id,
            agent=attempt.run.agent,
            step=call.step,
            index=call.index,
            effect_key=attempt.key,
            again=again,
            arguments=select_arguments(attempt.spec, call) if op == "run" else {},
            undo=call.undo if op == "undo" else None,
            # A run that began before there was such a field has none: its tools' functions do not know it.
            tool=None if find_server(attempt.spec.name) is None else attempt.spec.name,
            traceparent=None if attempt.run.traceparent is None else read_traceparent(),
            deadline=time.time() + seconds,
            whole=self._results.sign(call, seconds=seconds) if op == "run" else None,
            taint=find_written_sources(attempt.spec, call),
        )
        return self._functions.call(attempt.spec.name, handed, function=invocation.function)

    def _make_effect(self, attempt: CallTry) -> Effect:
        return Effect(
            tenant_id=attempt.call.tenant_id,
            run_id=attempt.call.run_id,
            effect_key=attempt.key,
            status="begun",
            begun_at=attempt.started_at,
        )

    def _save(self, attempt: CallTry, outcome: ToolOutcome) -> ToolCall:
        call = attempt.call
        ended = call.model_copy(
            update=outcome.to_stored()
            | {
                "status": CallStatus.FAILED if outcome.is_error else CallStatus.SUCCEEDED,
                "untrusted": outcome.untrusted or not attempt.spec.trusted_output,
                "sources": find_sources(attempt.spec, outcome.sources),
                "undo_token": undo_token(call.run_id, call.step, call.index) if outcome.undo is not None else None,
                "started_at": outcome.begun_at or attempt.started_at,
                "ended_at": outcome.done_at or self._now(),
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

    def _undo(self, attempt: CallTry) -> ToolCall:
        effect = self._make_effect(attempt)
        self._entries.append(attempt, "undo_asked", "ok", None)
        earlier = self._effects.begin(effect)
        if earlier is not None and earlier.status == "begun" and not attempt.spec.idempotent:
            self._entries.end(attempt, "undone", "refused", EffectUncertain.__name__)
            raise EffectUncertain(
                "an earlier undo was cut off and may or may not have happened; it was not repeated",
                fix="check whether it happened, and undo the rest by hand",
            )
        if earlier is None or earlier.status == "begun":
            self._run_undo(attempt, effect, again=earlier is not None)
            self._effects.finish(effect.model_copy(update={"status": "done", "done_at": self._now()}))
        if not attempt.spec.compensates:  # then the effect stays, and a sum bounds what has gone out
            self._admission.give_back(attempt.spec, attempt.run, attempt.call)
        self._entries.end(attempt, "undone", "ok", None)
        undone = attempt.call.model_copy(update={"status": CallStatus.UNDONE})
        self._runs.save_call(undone)
        return undone

    def _run_undo(self, attempt: CallTry, effect: Effect, *, again: bool) -> None:
        try:
            answer = self._hand_over(attempt, "undo", again=again)
            if answer.kind == "again":
                raise make_again_error(answer)
        except NOT_BEGUN:
            self._effects.release(effect)
            raise
        if answer.kind == "undone":
            return
        if answer.kind == "kept":
            # The function says itself that it undid nothing, so it may be tried again when the reason is gone.
            self._effects.release(effect)
        error = make_undo_error(answer)
        named = answer.error_type if isinstance(error, ToolFailed) else type(error).__name__
        self._entries.end(attempt, "undone", "error", named)
        raise error
