"""Ask humans, and close what nobody decided in time: the two operations of the AwaitHuman state."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.asking import Expiry
from pentad.domain.errors import NotFound
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus, CallStatus, Run, RunStatus, Step, ToolCall
from pentad.memory.sessions.ports import SessionStore
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.carry_out import CarryOut
from pentad.orchestration.approvals.decide import record_decision
from pentad.orchestration.approvals.decision_rules import (
    RACES,
    apply_timeout,
    count_escalations,
    make_contention_error,
)
from pentad.orchestration.approvals.notices import build_announcement
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import EventPublisher, RunStore, WorkflowEngine
from pentad.orchestration.turn.decision import find_missing
from pentad.tools.builtin.humans import BUILTIN, question_of
from pentad.tools.policy.apply import list_open_sources


class Asking:
    """The two sides of the AwaitHuman state: ask, and expire.

    Args:
        catalog: agents, for whom to ask and how long.
        runs: the store of runs.
        sessions: the store of sessions: drafts are in it, and humans' words go to it.
        approvals: the store of approvals.
        engine: wakes the execution where the decision was there before this try of the state.
        events: tells the rest of the account, and by it the humans.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        sessions: SessionStore,
        approvals: ApprovalStore,
        engine: WorkflowEngine,
        events: EventPublisher,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._sessions = sessions
        self._approvals = approvals
        self._engine = engine
        self._events = events
        self._telemetry = telemetry
        self._now = now
        self._carry_out = CarryOut(runs, sessions, now=now, approvals=approvals)

    def ask_for_step(self, tenant_id: str, run_id: str, step: int, task_token: str) -> Approval:
        """Ask what the step of an agent's run waits for, and let the run wait.

        Where an earlier try of the state stored it and the decision came since, the execution goes on at once.

        Raises:
            NotFound: no such run or step, or nothing of it awaits a human.
            InvalidTransition: the run has ended.
        """
        stored = self._find_approval(tenant_id, approval_id(run_id, step))
        return self._ask(
            stored or self._build_approval(self._runs.get(tenant_id, run_id), step), task_token, new=stored is None
        )

    def ask(self, approval: Approval, task_token: str) -> Approval:
        """Store an approval, let its run wait, and tell the humans. A repeat gives it a new task token.

        For a human step of a workflow: the approval is the caller's, with `approval_id` as its id. Its task is
        woken with ``{status, approval}``, and `expire` returns that, with ``wait`` where it is to wait on.

        Raises:
            NotFound: no such run.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store, the key service or the bus did not answer; again is safe.
        """
        stored = self._find_approval(approval.tenant_id, approval.approval_id)
        asked = self._ask(stored or approval, task_token, new=stored is None)
        if self._approvals.get(asked.tenant_id, asked.approval_id).status is ApprovalStatus.PENDING:
            # A decision on another of the run's approvals may have let the run go on before this one was stored.
            self._runs.set_status(asked.tenant_id, asked.run_id, RunStatus.AWAITING_HUMAN)
        return asked

    def _find_approval(self, tenant_id: str, name: str) -> Approval | None:
        try:
            return self._approvals.get(tenant_id, name)
        except NotFound:
            return None

    def _ask(self, approval: Approval, task_token: str, *, new: bool) -> Approval:
        if approval.status is ApprovalStatus.PENDING:
            # The run waits first: a decision that comes at once finds it so.
            self._runs.set_status(approval.tenant_id, approval.run_id, RunStatus.AWAITING_HUMAN)
            approval = self._approvals.create(approval, task_token)
        if approval.status is not ApprovalStatus.PENDING:
            self._engine.complete_task(task_token, self._carry_out(approval))
        self._events.publish(*build_announcement(approval))
        if new:
            self._telemetry.count(names.APPROVALS_REQUESTED, agent=approval.agent, kind=approval.kind)
            self._telemetry.log_event("approval.requested", approval=approval.approval_id, calls=len(approval.calls))
        return approval

    def expire(self, tenant_id: str, run_id: str, step: int) -> dict[str, Any]:
        """Do what is due once the task's time ran out, and return what the execution goes on with.

        A reminder and an escalation lead back to waiting (with ``wait``, in seconds). A decision made in the last
        moment counts, even where it could not wake the execution any more.

        Raises:
            NotFound: no such approval.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        before, after = self._apply_timeout(tenant_id, approval_id(run_id, step))
        if after.version > before.version:
            self._record_outcome(before, after)
        self._events.publish(*build_announcement(after))
        return self._carry_out(after)

    def _apply_timeout(self, tenant_id: str, name: str) -> tuple[Approval, Approval]:
        for _ in range(RACES):
            before = self._approvals.get(tenant_id, name)
            after = apply_timeout(before, self._now())
            if after == before or self._approvals.replace(after):
                return before, after
        raise make_contention_error()

    def _record_outcome(self, before: Approval, after: Approval) -> None:
        if after.status is not ApprovalStatus.PENDING:
            outcome = "expired" if after.status is ApprovalStatus.EXPIRED else f"expired_{after.status.value}"
            record_decision(self._telemetry, after, outcome, self._runs.get(after.tenant_id, after.run_id))
        elif count_escalations(after) > count_escalations(before):
            self._telemetry.count(names.APPROVAL_ESCALATIONS, agent=after.agent, outcome="expired")
        else:
            self._telemetry.count(names.APPROVAL_REMINDERS, agent=after.agent)

    def _build_approval(self, run: Run, step: int) -> Approval:
        stored = self._runs.find_step(run.tenant_id, run.run_id, step)
        agent = self._catalog.agents.get(run.agent)
        if stored is None or agent is None:
            what = f"no agent '{run.agent}'" if agent is None else "the run has no such step"
            raise NotFound(what, field="agent" if agent is None else "step")
        now = self._now()
        calls = [
            call
            for call in self._runs.list_calls(run.tenant_id, run.run_id, step)
            if call.status is CallStatus.AWAITING
        ]
        humans = agent.humans
        return Approval.model_validate(
            {
                "tenant": run.tenant_id,
                "approval": approval_id(run.run_id, step),
                "run": run.run_id,
                "step": step,
                "agent": run.agent,
                "session": run.session_id,
                "status": ApprovalStatus.PENDING,
                "calls": tuple(to_approval_call(call) for call in calls if call.tool not in BUILTIN),
                "group": humans.group,
                "quorum": humans.quorum,
                "on_expiry": choose_expiry(self._catalog, run, humans.on_expiry, calls),
                "escalate_to": humans.escalate_to,
                "remind_seconds": humans.remind_seconds,
                "user_id": run.user_id,
                "parent": run.parent_run_id,
                "requester": run.requester,
                "not_requester": humans.four_eyes,
                "confidence": stored.assessment.confidence if stored.assessment else None,
                "created_at": now,
                "expires_at": now + timedelta(seconds=agent.approval_seconds),
                **self._build_content(run, agent, stored, calls),
            }
        )

    def _build_content(self, run: Run, agent: AgentSpec, step: Step, calls: list[ToolCall]) -> dict[str, Any]:
        """Return the approval's kind, with its text: the question, the draft, or why it was escalated."""
        asked = [text for call in calls if (text := question_of(call.tool, call.arguments)) is not None]
        text = "\n\n".join(asked) or None
        if step.decision.kind == "ask":
            if asked:
                return {"kind": "question", "text": text}
            key, question = find_missing(agent, run) or (None, step.decision.reason)
            return {"kind": "question", "text": question, "asks_for": key}
        draft = None if calls else self._find_draft(run, step)
        if step.decision.kind == "escalate":
            return {"kind": "escalation", "text": text or draft or step.decision.reason, "drafts": draft is not None}
        if draft is not None:
            return {"kind": "answer", "text": draft}
        if not calls:
            raise NotFound("nothing in this step waits for a human", field="step")
        return {"kind": "calls"}

    def _find_draft(self, run: Run, step: Step) -> str | None:
        if step.decision.kind not in {"approve", "escalate"} or step.message_seq is None:
            return None
        stored = self._sessions.read(run.tenant_id, run.session_id, step.message_seq, step.message_seq)
        return stored[0].message.text if stored else None


def choose_expiry(catalog: Catalog, run: Run, said: Expiry, calls: Sequence[ToolCall]) -> Expiry:
    """Return what happens where nobody decides: what text from outside may have led to never runs by itself."""
    known = [(catalog.tools[call.tool], call) for call in calls if call.tool in catalog.tools]
    led = said == "approve" and any(list_open_sources(tool, catalog.policy, run, call) for tool, call in known)
    return "reject" if led else said


def to_approval_call(call: ToolCall) -> ApprovalCall:
    """Return what a human is shown of a call."""
    shown = ("index", "tool", "arguments", "arguments_hash", "reasons", "outside", "taint")
    return ApprovalCall.model_validate({name: getattr(call, name) for name in shown})
