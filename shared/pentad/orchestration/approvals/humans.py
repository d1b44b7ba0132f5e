"""Human decisions: ask, decide, expire. What was shown is what runs; a decision that is stored is carried out.

The approval is the one place where a decision is made, by one conditional write (`approving` says what it
becomes). All that follows from it (`carry_out`, the notice, waking the execution) may be
repeated by whoever comes next: the same decision again, the expiry, or a retried request.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound, PolicyDenied
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus, CallStatus, Run, RunStatus, Step, ToolCall
from pentad.memory.sessions.ports import SessionStore
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.approving import (
    RACES,
    REASON_CHARACTERS,
    Say,
    Verb,
    contended,
    escalations,
    lapsed,
    said,
    shown_hash,
)
from pentad.orchestration.approvals.carry_out import CarryOut
from pentad.orchestration.approvals.edits import check_json
from pentad.orchestration.approvals.notices import announcement
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import EventPublisher, RunStore, WorkflowEngine
from pentad.orchestration.turn.decide import missing
from pentad.tools.builtin.humans import BUILTIN, question_of

__all__ = ["REASON_CHARACTERS", "Asking", "Decide", "shown_hash"]


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

    def request(self, tenant: str, run: str, step: int, task_token: str) -> Approval:
        """Ask what the step of an agent's run waits for, and let the run wait.

        Where an earlier try of the state stored it and the decision came since, the execution goes on at once.

        Raises:
            NotFound: no such run or step, or nothing of it awaits a human.
            InvalidTransition: the run has ended.
        """
        stored = self._stored(tenant, approval_id(run, step))
        return self._ask(stored or self._approval(self._runs.get(tenant, run), step), task_token, new=stored is None)

    def ask(self, approval: Approval, task_token: str) -> Approval:
        """Store an approval, let its run wait, and tell the humans. A repeat gives it a new task token.

        For a human step of a workflow: the approval is the caller's, with `approval_id` as its id. Its task is
        woken with ``{status, approval}``, and `expire` returns that, with ``wait`` where it is to wait on.

        Raises:
            NotFound: no such run.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store, the key service or the bus did not answer; again is safe.
        """
        stored = self._stored(approval.tenant, approval.approval)
        asked = self._ask(stored or approval, task_token, new=stored is None)
        if self._approvals.get(asked.tenant, asked.approval).status is ApprovalStatus.PENDING:
            # A decision on another of the run's approvals may have let the run go on before this one was stored.
            self._runs.set_status(asked.tenant, asked.run, RunStatus.AWAITING_HUMAN)
        return asked

    def _stored(self, tenant: str, name: str) -> Approval | None:
        try:
            return self._approvals.get(tenant, name)
        except NotFound:
            return None

    def _ask(self, approval: Approval, task_token: str, *, new: bool) -> Approval:
        if approval.status is ApprovalStatus.PENDING:
            # The run waits first: a decision that comes at once finds it so.
            self._runs.set_status(approval.tenant, approval.run, RunStatus.AWAITING_HUMAN)
            approval = self._approvals.create(approval, task_token)
        if approval.status is not ApprovalStatus.PENDING:
            self._engine.succeed(task_token, self._carry_out(approval))
        self._events.publish(*announcement(approval))
        if new:
            self._telemetry.count(names.APPROVALS_REQUESTED, agent=approval.agent, kind=approval.kind)
            self._telemetry.event("approval.requested", approval=approval.approval, calls=len(approval.calls))
        return approval

    def expire(self, tenant: str, run: str, step: int) -> dict[str, Any]:
        """Do what is due once the task's time ran out, and return what the execution goes on with.

        A reminder and an escalation lead back to waiting (with ``wait``, in seconds). A decision made in the last
        moment counts, even where it could not wake the execution any more.

        Raises:
            NotFound: no such approval.
            InvalidTransition: the run has ended.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        before, after = self._lapse(tenant, approval_id(run, step))
        if after.version > before.version:
            self._tell(before, after)
        self._events.publish(*announcement(after))
        return self._carry_out(after)

    def _lapse(self, tenant: str, name: str) -> tuple[Approval, Approval]:
        for _ in range(RACES):
            before = self._approvals.get(tenant, name)
            after = lapsed(before, self._now())
            if after == before or self._approvals.replace(after):
                return before, after
        raise contended()

    def _tell(self, before: Approval, after: Approval) -> None:
        if after.status is not ApprovalStatus.PENDING:
            outcome = "expired" if after.status is ApprovalStatus.EXPIRED else f"expired_{after.status.value}"
            decided(self._telemetry, after, outcome)
        elif escalations(after) > escalations(before):
            self._telemetry.count(names.APPROVAL_ESCALATIONS, agent=after.agent, outcome="expired")
        else:
            self._telemetry.count(names.APPROVAL_REMINDERS, agent=after.agent)

    def _approval(self, run: Run, step: int) -> Approval:
        stored = self._runs.step(run.tenant, run.run, step)
        agent = self._catalog.agents.get(run.agent)
        if stored is None or agent is None:
            what = f"there is no agent {run.agent}" if agent is None else "the run has no such step"
            raise NotFound(what, field="agent" if agent is None else "step")
        now = self._now()
        calls = [call for call in self._runs.calls(run.tenant, run.run, step) if call.status is CallStatus.AWAITING]
        humans = agent.humans
        return Approval.model_validate(
            {
                "tenant": run.tenant,
                "approval": approval_id(run.run, step),
                "run": run.run,
                "step": step,
                "agent": run.agent,
                "session": run.session,
                "status": ApprovalStatus.PENDING,
                "calls": tuple(_shown(call) for call in calls if call.tool not in BUILTIN),
                "group": humans.group,
                "quorum": humans.quorum,
                "on_expiry": humans.on_expiry,
                "escalate_to": humans.escalate_to,
                "remind_seconds": humans.remind_seconds,
                "confidence": stored.assessment.confidence if stored.assessment else None,
                "created_at": now,
                "expires_at": now + timedelta(seconds=agent.approval_seconds),
                **self._matter(run, agent, stored, calls),
            }
        )

    def _matter(self, run: Run, agent: AgentSpec, step: Step, calls: list[ToolCall]) -> dict[str, Any]:
        """Return the approval's kind, with its text: the question, the draft, or why it was escalated."""
        asked = [text for call in calls if (text := question_of(call.tool, call.arguments)) is not None]
        text = "\n\n".join(asked) or None
        if step.decision.kind == "ask":
            if asked:
                return {"kind": "question", "text": text}
            key, question = missing(agent, run) or (None, step.decision.reason)
            return {"kind": "question", "text": question, "asks_for": key}
        draft = None if calls else self._draft(run, step)
        if step.decision.kind == "escalate":
            return {"kind": "escalation", "text": text or draft or step.decision.reason, "drafts": draft is not None}
        if draft is not None:
            return {"kind": "answer", "text": draft}
        if not calls:
            raise NotFound("nothing of this step awaits a human", field="step")
        return {"kind": "calls"}

    def _draft(self, run: Run, step: Step) -> str | None:
        if step.decision.kind not in {"approve", "escalate"} or step.message_seq is None:
            return None
        stored = self._sessions.read(run.tenant, run.session, step.message_seq, step.message_seq)
        return stored[0].message.text if stored else None


class Decide:
    """A human's decision, as the API takes it.

    Args:
        catalog: tools, for the schemas of edited arguments.
        runs: the store of runs.
        sessions: the store of sessions, where humans' words go.
        approvals: the store of approvals.
        engine: wakes the execution.
        events: tells the rest of the account.
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
        self._approvals = approvals
        self._engine = engine
        self._events = events
        self._telemetry = telemetry
        self._now = now
        self._carry_out = CarryOut(runs, sessions, now=now, approvals=approvals)

    def __call__(
        self,
        tenant: str,
        approval: str,
        decision: Verb,
        *,
        by: str,
        groups: Collection[str] | None = None,
        reason: str | None = None,
        arguments_hash: str | None = None,
        text: str | None = None,
        arguments: Mapping[int, dict[str, Any]] | None = None,
        group: str | None = None,
        allow_tool_for_run: bool = False,
    ) -> Approval:
        """Store a decision and let the run go on. The same decision again does the rest of what a crash left.

        Args:
            tenant: the tenant.
            approval: which one.
            decision: what to do.
            by: who decides; one human's votes count once.
            groups: those that the human is in; None decides for all of them.
            reason: why; told to the model on a reject.
            arguments_hash: of what the human was shown; needed where several decide.
            text: the answer, or the draft as edited.
            arguments: whole edited arguments by the call's index.
            group: who is asked instead; the next of the agent's groups where None.
            allow_tool_for_run: the approved calls' tools need no approval for the rest of the run.

        Raises:
            NotFound: no such approval for this tenant.
            PolicyDenied: the human is not in the group that is asked.
            InvalidInput: it does not fit the approval, or is about something else than it shows.
            InvalidTransition: decided otherwise, changed just now, expired, or the run has ended.
            StoreUnavailable: a store or the bus did not answer; the same decision again is safe.
        """
        if reason is not None and len(reason) > REASON_CHARACTERS:
            raise InvalidInput(f"the reason has more than {REASON_CHARACTERS} characters", field="reason")
        check_json(arguments or {})
        say = Say(
            verb=decision,
            by=by,
            at=self._now(),
            shown=arguments_hash,
            reason=reason,
            text=text,
            arguments=arguments or {},
            group=group,
            allow_tool_for_run=allow_tool_for_run,
        )
        before, after = self._store(tenant, approval, say, groups)
        if after.version > before.version:
            self._tell(before, after, say)
        self._follow(before, after, say)
        return after

    def _store(self, tenant: str, name: str, say: Say, groups: Collection[str] | None) -> tuple[Approval, Approval]:
        first: Approval | None = None
        for _ in range(RACES):
            before = self._approvals.get(tenant, name)
            if groups is not None and before.group not in groups:
                raise PolicyDenied(
                    f"the group {before.group} is asked, and the credential is in none such",
                    field="group",
                    fix=f"use a credential of the group {before.group}",
                )
            first = first or before
            if say.shown is None and shown_hash(before) != shown_hash(first):
                raise InvalidTransition(
                    "the approval was changed just now", field="approval", fix="read it again and decide on that"
                )
            after = said(before, say, self._catalog.tools)
            if after == before:
                return before, before
            self._check_open(before)
            if self._approvals.replace(after):
                return before, after
        raise contended()

    def _check_open(self, approval: Approval) -> None:
        run = self._runs.get(approval.tenant, approval.run)
        if run.status.ended:
            raise InvalidTransition(f"the run has ended: it is {run.status}", field="approval")

    def _follow(self, before: Approval, after: Approval, say: Say) -> None:
        """Do what follows. A vote or a repeated escalation that decides nothing leads to nothing more."""
        handed_on = escalations(after) > escalations(before)
        if after.status is ApprovalStatus.PENDING and not handed_on and say.verb != "escalate":
            return
        if not self._runs.get(after.tenant, after.run).status.ended:
            self._wake(after)
        self._events.publish(*announcement(after))

    def _wake(self, approval: Approval) -> None:
        output = self._carry_out(approval)
        try:
            self._engine.succeed(self._approvals.token(approval.tenant, approval.approval), output)
        except InvalidTransition:
            # Woken by an earlier try, or timed out just now: then the expiry carries this out.
            self._telemetry.event("approval.task_gone", approval=approval.approval)

    def _tell(self, before: Approval, after: Approval, say: Say) -> None:
        self._telemetry.event("approval.said", approval=after.approval, verb=say.verb, by=say.by, status=after.status)
        if after.status is not ApprovalStatus.PENDING:
            edited = any(change.what == "edited" for change in after.changes)
            outcome = "edited" if edited and after.status is ApprovalStatus.APPROVED else after.status.value
            decided(self._telemetry, after, outcome)
        elif escalations(after) > escalations(before):
            self._telemetry.count(names.APPROVAL_ESCALATIONS, agent=after.agent, outcome="decided")


def decided(telemetry: Telemetry, approval: Approval, outcome: str) -> None:
    """Count a decision, and how long it took since the group was asked that made it."""
    telemetry.count(names.APPROVALS_DECIDED, outcome=outcome, kind=approval.kind)
    if approval.decided_at is not None:
        took = (approval.decided_at - approval.created_at).total_seconds() * 1000
        telemetry.count(names.APPROVAL_DURATION, took, unit="Milliseconds", kind=approval.kind)


def _shown(call: ToolCall) -> ApprovalCall:
    return ApprovalCall(index=call.index, tool=call.tool, arguments=call.arguments, arguments_hash=call.arguments_hash)
