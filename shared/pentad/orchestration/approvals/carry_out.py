"""Carry out a stored decision: change its calls, conversation and run, and make the output that wakes the execution.

All of it may be repeated by whoever comes next: the same decision again, the expiry, a retried request.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pentad.domain.canonical import arguments_hash
from pentad.domain.errors import NotFound
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus, CallStatus, Decision, Run, RunStatus, ToolCall
from pentad.memory.sessions.ports import SessionStore
from pentad.orchestration.approvals.decision_rules import is_draft
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.approvals.waiting_times import compute_waited, is_waiting, wait_seconds
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.turn.decision import human_id, to_references
from pentad.tools.builtin.humans import BUILTIN
from pentad.tools.runtime.sanitise import fit_words

_WAITS_AS: Mapping[str, Literal["approve", "ask", "escalate"]] = {
    "calls": "approve",
    "answer": "approve",
    "question": "ask",
    "escalation": "escalate",
}
_REASON_CHARACTERS = 300  # of a decision
_TAIL = 20
"""Messages at a session's end that can follow a human's before the next step is stored; more than a turn appends."""
NOT_SHOWN = "This call was not run: its arguments are not those that the human was shown."
NOT_RUN = "No human decided in time, so this call was not run."
NO_ANSWER = "No human answered in time. Continue without an answer, or say what is missing."
NO_HUMAN = "No human took over in time. Continue as far as you may, and tell the user what is left."


class CarryOut:
    """Brings calls, session and run to what an approval says.

    Args:
        runs: the store of runs.
        sessions: the store of sessions.
        now: the clock.
        approvals: the store of approvals; None where no run waits for several humans at once, as workflows do.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        *,
        now: Callable[[], datetime],
        approvals: ApprovalStore | None = None,
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._now = now
        self._approvals = approvals

    def __call__(self, approval: Approval) -> dict[str, Any]:
        """Return what the execution goes on with: a decision's form, or ``{status, approval, wait?}`` of a workflow.

        Raises:
            InvalidTransition: the run has ended.
            StoreUnavailable: a store did not answer, or another writer changed the session first; again is safe.
        """
        run = self._runs.get(approval.tenant_id, approval.run_id)
        if approval.status is ApprovalStatus.PENDING:
            self._hold(run, approval)
            wait = wait_seconds(approval, self._now())
            if run.kind == "workflow":
                return {"status": approval.status.value, "approval": approval.approval_id, "wait": wait}
            open_calls = [call for call in self._list_calls(approval) if call.status in _OPEN]
            kind = _WAITS_AS[approval.kind]
            return _dump_decision(Decision(kind=kind, step=approval.step, calls=to_references(open_calls), wait=wait))
        if run.kind == "workflow":
            self._resume_run(run, approval)
            return {"status": approval.status.value, "approval": approval.approval_id}
        self._note(approval)
        to_run = self._settle(approval)
        self._append_message(run, approval)
        self._resume_run(run, approval)
        return _dump_decision(_build_next(approval, to_run))

    def _list_calls(self, approval: Approval) -> list[ToolCall]:
        return self._runs.list_calls(approval.tenant_id, approval.run_id, approval.step)

    def _note(self, approval: Approval) -> None:
        if approval.status is ApprovalStatus.APPROVED and approval.allowed_tools:
            # What a human allows in a context is allowed in that one: text of another source asks again.
            seen = [f"{call.tool}|{source}" for call in approval.calls for source in call.taint]
            tools, run_id = approval.allowed_tools, approval.run_id
            self._runs.note(approval.tenant_id, run_id, allowed_tools=tools, allowed_taint=seen)
        if approval.status is ApprovalStatus.ANSWERED and approval.asks_for:
            self._runs.note(approval.tenant_id, approval.run_id, metadata={approval.asks_for: approval.reply or ""})

    def _settle(self, approval: Approval) -> list[ToolCall]:
        """Bring the calls to what was decided and return those to run, those that needed no approval included."""
        shown = {call.index: call for call in approval.calls}
        to_run: list[ToolCall] = []
        for call in self._list_calls(approval):
            if call.status is CallStatus.AWAITING and (call.index in shown or call.tool in BUILTIN):
                call = _apply_decision(call, shown.get(call.index), approval, self._now())
                self._runs.save_call(call)
            if call.status in {CallStatus.PENDING, CallStatus.APPROVED}:
                to_run.append(call)
        return to_run

    def _append_message(self, run: Run, approval: Approval) -> None:
        """Add a human's words to the conversation where no call's result carries them; once."""
        words = _describe_decision(approval)
        if words is None or self._runs.find_step(run.tenant_id, run.run_id, approval.step + 1) is not None:
            return  # nothing to say, or the run went on after it was said
        head = self._sessions.get(run.tenant_id, run.session_id)
        if head is None:
            raise NotFound("no such session", field="session")
        name = human_id(approval.run_id, approval.step)
        last = self._sessions.read(run.tenant_id, run.session_id, max(0, head.length - _TAIL), head.length - 1)
        if any(one.message.message_id == name for one in last):
            return
        message = Message(
            message_id=name,
            role="user",
            blocks=(TextBlock(text=words),),
            created_at=self._now(),
            run_id=run.run_id,
            step=approval.step,
        )
        self._sessions.append(
            run.tenant_id, run.session_id, [message], expected_version=head.version, fence=run.fence or None
        )

    def _resume_run(self, run: Run, approval: Approval) -> None:
        if run.status is not RunStatus.AWAITING_HUMAN:
            return
        others = self._list_others(run, approval)
        if is_waiting(others):
            return  # Whoever decides the last of them lets the run go on.
        waited = compute_waited(approval, others, approval.decided_at or self._now())
        self._runs.set_status(run.tenant_id, run.run_id, RunStatus.RUNNING, waited_seconds=waited)
        if is_waiting(self._list_others(run, approval)):
            # Another branch has asked meanwhile.
            self._runs.set_status(run.tenant_id, run.run_id, RunStatus.AWAITING_HUMAN)

    def _list_others(self, run: Run, approval: Approval) -> list[Approval]:
        if self._approvals is None or run.kind != "workflow":
            return []
        asked = self._approvals.list_for_run(run.tenant_id, run.run_id)
        return [one for one in asked if one.approval_id != approval.approval_id]

    def _hold(self, run: Run, approval: Approval) -> None:
        """Add a wait that ended with another group's to the run, which keeps the session's lease for the next."""
        if approval.asked_at is None or run.status is not RunStatus.AWAITING_HUMAN or run.updated_at >= approval.asked:
            return  # never handed on, or done by an earlier try
        before = [change.at for change in approval.changes if change.what == "escalated"][:-1]
        waited = (approval.asked - (before[-1] if before else approval.created_at)).total_seconds()
        self._runs.set_status(run.tenant_id, run.run_id, RunStatus.RUNNING, waited_seconds=max(0.0, waited))
        self._runs.set_status(run.tenant_id, run.run_id, RunStatus.AWAITING_HUMAN)


_OPEN = frozenset({CallStatus.PENDING, CallStatus.AWAITING, CallStatus.APPROVED})


def _build_next(approval: Approval, to_run: Sequence[ToolCall]) -> Decision:
    """Return where an agent's run goes on."""
    step = approval.step
    status = approval.status
    if approval.kind == "escalation" and status is ApprovalStatus.ANSWERED:
        return Decision(kind="answer", step=step)
    if status is ApprovalStatus.APPROVED and is_draft(approval):
        return Decision(kind="answer", step=step)
    ends = status is ApprovalStatus.EXPIRED and (is_draft(approval) or approval.asks_for is not None)
    if ends or (status is ApprovalStatus.REJECTED and approval.asks_for is not None):
        return Decision(kind="stop", step=step, reason=_explain_stop(approval)[:_REASON_CHARACTERS])
    return Decision(kind="tools", step=step, calls=to_references(to_run))


def _explain_stop(approval: Approval) -> str:
    if approval.status is ApprovalStatus.EXPIRED:
        return f"The run was stopped: no human of the group '{approval.group}' decided in time."
    return f"The run was stopped: it needs {approval.asks_for}, and a human declined to give it." + _format_reason(
        approval
    )


def _apply_decision(call: ToolCall, shown: ApprovalCall | None, approval: Approval, now: datetime) -> ToolCall:
    if call.tool in BUILTIN:
        return _apply_reply(call, approval, now)
    if approval.status is not ApprovalStatus.APPROVED or shown is None:
        return _reject_call(call, _explain_rejection(approval), now)
    as_shown = arguments_hash(shown.arguments) == shown.arguments_hash
    as_stored = shown.edited or call.arguments_hash == shown.arguments_hash
    if not (as_shown and as_stored):
        return _reject_call(call, NOT_SHOWN, now)
    update = {
        "status": CallStatus.APPROVED,
        "arguments": shown.arguments,
        "arguments_hash": shown.arguments_hash,
        "rewritten": call.rewritten and not shown.edited,
    }
    return call.model_copy(update=update)


def _apply_reply(call: ToolCall, approval: Approval, now: datetime) -> ToolCall:
    """Return a call of a built-in tool with the human's answer as its result."""
    status = approval.status
    if status is ApprovalStatus.ANSWERED:
        result = approval.reply or ""
    elif status is ApprovalStatus.APPROVED:
        result = "A human has seen this and says: go on." + _format_reason(approval)
    elif status is ApprovalStatus.REJECTED:
        said = "declined to answer" if approval.kind == "question" else "does not take over"
        return _reject_call(call, f"A human {said}.{_format_reason(approval)}", now)
    else:
        return _reject_call(call, NO_ANSWER if approval.kind == "question" else NO_HUMAN, now)
    return call.model_copy(
        update={"status": CallStatus.SUCCEEDED, "result": fit_words(result), "untrusted": False, "ended_at": now}
    )


def _reject_call(call: ToolCall, why: str, now: datetime) -> ToolCall:
    return call.model_copy(
        update={
            "status": CallStatus.REJECTED,
            "result": fit_words(why),
            "is_error": True,
            "error_type": "PolicyDenied",
            "ended_at": now,
        }
    )


def _explain_rejection(approval: Approval) -> str:
    if approval.status is ApprovalStatus.EXPIRED:
        return NOT_RUN
    if approval.status is ApprovalStatus.ANSWERED:
        return "This call was not run: a human answered the user instead."
    return f"A human rejected this call; it was not run.{_format_reason(approval)}"


def _format_reason(approval: Approval) -> str:
    return f" Reason: {approval.reason}" if approval.reason else ""


def _describe_decision(approval: Approval) -> str | None:
    """Return what the conversation has to say of a decision, or None where nothing or a call's result does."""
    status, kind = approval.status, approval.kind
    if status is ApprovalStatus.REJECTED and is_draft(approval):
        return f"A human reviewer rejected this answer; the user has not seen it. Try again.{_format_reason(approval)}"
    if status is ApprovalStatus.ANSWERED and kind == "escalation":
        return f"A human took over and answered the user in your place:\n\n{approval.reply}"
    if status is ApprovalStatus.ANSWERED and approval.asks_for is not None:
        return f"{approval.asks_for}: {approval.reply}"
    if status is ApprovalStatus.APPROVED and is_draft(approval) and approval.reply not in (None, approval.text):
        return f"A human reviewer changed this answer. The user was given this instead:\n\n{approval.reply}"
    return None


def _dump_decision(decision: Decision) -> dict[str, Any]:
    return decision.model_dump(mode="json", exclude_none=True)
