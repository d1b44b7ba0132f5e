"""Run a human's step: ask, and keep the result; also the approval of a tool's step that needs one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.asking import AskingStep
from pentad.domain.declarations.workflows import HumanStep, StepResult, ToolStep
from pentad.domain.errors import InvalidTransition, NotFound, StepDone, StepRejected
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalStatus, CallStatus, Run, ToolCall
from pentad.orchestration.approvals.ask import choose_expiry, to_approval_call
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.workflows.ports import Asks
from pentad.orchestration.workflows.redriven_steps import iter_earlier_steps, store_result, take_over
from pentad.orchestration.workflows.steps import EnteredStep, Stores, build_reference
from pentad.orchestration.workflows.templates import render
from pentad.orchestration.workflows.tool_steps import INDEX

_SAID = frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.ANSWERED})
_STATUS = {
    ApprovalStatus.APPROVED: "approved",
    ApprovalStatus.REJECTED: "rejected",
    ApprovalStatus.ANSWERED: "answered",
    ApprovalStatus.EXPIRED: "expired",
}


class Humans:
    """Asks humans in workflows.

    Args:
        stores: where everything is.
        approvals: the store of approvals.
        asks: asks, reminds and hands on.
    """

    def __init__(self, stores: Stores, approvals: ApprovalStore, asks: Asks) -> None:
        self._stores = stores
        self._approvals = approvals
        self._asks = asks

    def ask(self, at: EnteredStep, task_token: str) -> dict[str, Any]:
        """Ask; the decision wakes the task. A repeat gives it the new token.

        Raises:
            StepDone: a human has decided just that for a failed run that this one goes on for.
            NotFound: no such run or step.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store, the key service or the bus did not answer.
        """
        step = self._stores.get_workflow(at.agent).steps.get(at.step)
        made = self._build_call_approval(at, step) if isinstance(step, ToolStep) else self._build_approval(at)
        return {"approval": self._asks.ask(made, task_token).approval_id}

    def expire(self, at: EnteredStep) -> dict[str, Any]:
        """Do what is due once the task's time ran out: ``{status, approval, wait?}``; ``pending`` waits on.

        Raises:
            NotFound: no such approval.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store or the bus did not answer.
        """
        return self._asks.expire(at.tenant_id, at.run_id, at.place)

    def collect(self, at: EnteredStep, *, strict: bool) -> dict[str, Any]:
        """Store what the human said and return its reference.

        Args:
            at: which step.
            strict: the workflow has no way on from a rejection.

        Raises:
            NotFound: no such approval.
            StepRejected: it was rejected, or nobody decided, and ``strict``.
            InvalidTransition: it is still pending.
            StoreUnavailable: a store did not answer.
        """
        self._stores.get_step(at, HumanStep)
        result = self._stores.results.get(at.tenant_id, at.run_id, at.place)
        if result is None:
            result = self._stores.results.put(build_human_result(at, self._get_decided(at)))
        if strict and result.status in ("rejected", "expired"):
            raise StepRejected(f"the step '{at.step}' was rejected: {result.text}")
        return build_reference(result)

    def settle(self, at: EnteredStep) -> dict[str, Any]:
        """Bring a tool's call to what was decided: exactly what was shown may run.

        Raises:
            NotFound: no such approval or call.
            StepRejected: it was rejected, or nobody decided.
            InvalidTransition: it is still pending, or the call has ended otherwise.
            StoreUnavailable: a store did not answer.
        """
        call = self._stores.runs.get_call(at.tenant_id, at.run_id, at.place, INDEX)
        approval = self._resolve_approval(at, call)
        if call.status in (CallStatus.AWAITING, CallStatus.PENDING):
            call = _apply_decision(call, approval)
            self._stores.runs.save_call(call)
        if call.status is CallStatus.REJECTED:
            raise StepRejected(f"the step '{at.step}' was rejected: {_explain_rejection(approval)}")
        return {"index": INDEX, "status": call.status.value}

    def _build_approval(self, at: EnteredStep) -> Approval:
        stores = self._stores
        step = stores.get_step(at, HumanStep)
        run = stores.get_run(at)
        now = stores.now()
        text = render(step.text, stores.make_lookup(run, at.refs))
        self._check_said(at, run, step, text)
        asked = StepResult(
            tenant_id=at.tenant_id,
            run_id=at.run_id,
            place=at.place,
            name=at.step,
            status="succeeded",
            text="",
            began_at=now,
            ended_at=now,
        )
        # In the run's record before it is asked, so that its events tell of it while it waits.
        stores.record(asked, "ask" if step.asks == "question" else "approve")
        return Approval(
            tenant_id=at.tenant_id,
            approval_id=approval_id(at.run_id, at.place),
            run_id=at.run_id,
            step=at.place,
            agent=at.agent,
            session_id=at.session_id,
            kind="question" if step.asks == "question" else "answer",
            status=ApprovalStatus.PENDING,
            calls=(),
            text=text,
            **_asked_of(step),
            **_asked_by(run),
            created_at=now,
            expires_at=now + timedelta(seconds=step.seconds),
        )

    def _check_said(self, at: EnteredStep, run: Run, step: HumanStep, text: str) -> None:
        """Return if no human has decided this for a failed run that this one goes on for.

        Raises:
            StepDone: one has; the decision is this step's result now.
        """
        decided = self._find_earlier(at, run, lambda earlier: _is_same_question(earlier, step, text))
        if decided is not None:
            before = at.model_copy(update={"run_id": decided.run_id})
            store_result(self._stores, take_over(at, build_human_result(before, decided), self._stores.now()))
            raise StepDone(f"the step '{at.step}' was decided for an earlier run")

    def _build_call_approval(self, at: EnteredStep, step: ToolStep) -> Approval:
        stores = self._stores
        run = stores.get_run(at)
        call = stores.runs.get_call(at.tenant_id, at.run_id, at.place, INDEX)
        if self._find_earlier(at, run, lambda earlier: _is_approval_of(earlier, call, step)) is not None:
            raise StepDone(f"the call of the step '{at.step}' was approved for an earlier run")
        shown = to_approval_call(call)
        now = stores.now()
        return Approval(
            tenant_id=at.tenant_id,
            approval_id=approval_id(at.run_id, at.place),
            run_id=at.run_id,
            step=at.place,
            agent=at.agent,
            session_id=at.session_id,
            status=ApprovalStatus.PENDING,
            calls=(shown,),
            **_asked_of(step) | {"on_expiry": choose_expiry(stores.catalog, run, step.on_expiry, [call])},
            **_asked_by(run),
            created_at=now,
            expires_at=now + timedelta(seconds=step.seconds),
        )

    def _find_earlier(self, at: EnteredStep, run: Run, fits: Callable[[Approval], bool]) -> Approval | None:
        """Return what was decided for a failed run that this one goes on for, where it is about the same."""
        for before in iter_earlier_steps(self._stores, run, at):
            try:
                approval = self._approvals.get(at.tenant_id, approval_id(before.run_id, before.place))
            except NotFound:
                continue
            if fits(approval):
                return approval
        return None

    def _resolve_approval(self, at: EnteredStep, call: ToolCall) -> Approval:
        try:
            return self._get_decided(at)
        except NotFound:
            run = self._stores.get_run(at)
            step = self._stores.get_step(at, ToolStep)
            earlier = self._find_earlier(at, run, lambda one: _is_approval_of(one, call, step))
            if earlier is None:
                raise
            return earlier

    def _get_decided(self, at: EnteredStep) -> Approval:
        approval = self._approvals.get(at.tenant_id, approval_id(at.run_id, at.place))
        if approval.run_id != at.run_id:
            raise NotFound("no such approval", field="approval")
        if approval.status is ApprovalStatus.PENDING:
            raise InvalidTransition("nobody has decided yet", field="approval")
        return approval


def _asked_of(step: AskingStep) -> dict[str, Any]:
    return {
        "group": step.group,
        "quorum": step.quorum,
        "on_expiry": step.on_expiry,
        "escalate_to": step.escalate_to,
        "remind_seconds": step.remind_seconds,
        "not_requester": step.four_eyes,
    }


def _asked_by(run: Run) -> dict[str, Any]:
    return {"user_id": run.user_id, "requester": run.requester}


def build_human_result(at: EnteredStep, approval: Approval) -> StepResult:
    """Return what a human said: the text as it stands after an approval, the answer, or why not."""
    agreed = approval.status in (ApprovalStatus.APPROVED, ApprovalStatus.ANSWERED)
    text = (approval.reply or approval.text or "") if agreed else _explain_rejection(approval)
    return StepResult.model_validate(
        {
            "tenant": at.tenant_id,
            "run": at.run_id,
            "place": at.place,
            "name": at.step,
            "status": _STATUS[approval.status],
            "text": text,
            "fields": {"reason": approval.reason or "", "decided_by": approval.decided_by or ""},
            "began_at": approval.created_at,
            "ended_at": approval.decided_at or approval.expires_at,
        }
    )


def _is_same_question(approval: Approval, step: HumanStep, text: str) -> bool:
    """Tell whether a human has decided just what a step would ask: the same words, and of no fewer people.

    What nobody decided in time is no decision.
    """
    kind = "question" if step.asks == "question" else "answer"
    said = (approval.kind, approval.text) == (kind, text) and _is_as_strict(approval, step)
    return said and approval.status in _SAID


def _is_as_strict(approval: Approval, step: AskingStep) -> bool:
    """Tell whether the same group was asked first, and of no fewer people."""
    first = next((change.group for change in approval.changes if change.what == "escalated"), approval.group)
    enough = approval.quorum >= step.quorum and approval.not_requester >= step.four_eyes
    return first == step.group and enough


def _is_approval_of(approval: Approval, call: ToolCall, step: AskingStep) -> bool:
    """Tell whether those whom a step asks have approved just this call: of this tool, with these arguments."""
    shown = {(one.tool, one.arguments_hash) for one in approval.calls}
    approved = approval.status is ApprovalStatus.APPROVED and (call.tool, call.arguments_hash) in shown
    return approved and _is_as_strict(approval, step)


def _explain_rejection(approval: Approval) -> str:
    return (approval.reason or "no reason was given").rstrip(".")


def _apply_decision(call: ToolCall, approval: Approval) -> ToolCall:
    shown = next((one for one in approval.calls if one.index == call.index), None)
    if approval.status is ApprovalStatus.APPROVED and shown is not None:
        as_shown = arguments_hash(shown.arguments) == shown.arguments_hash
        if as_shown and (shown.edited or shown.arguments_hash == call.arguments_hash):
            approved = {"arguments": shown.arguments, "arguments_hash": shown.arguments_hash}
            return call.model_copy(update=approved | {"status": CallStatus.APPROVED})
    why = f"A human rejected this call; it was not run. Reason: {_explain_rejection(approval)}"
    end = {"status": CallStatus.REJECTED, "result": why, "is_error": True, "error_type": "StepRejected"}
    return call.model_copy(update=end | {"ended_at": approval.decided_at or approval.expires_at})
