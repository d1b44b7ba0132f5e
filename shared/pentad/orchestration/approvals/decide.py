"""Take a human's decision: check it, store it, carry it out. What was shown is what runs.

The approval is the one place where a decision is made, by one conditional write; the module `decision_rules` says what
it becomes. All that follows from it (the module `carry_out`, the notice, waking the execution) may be repeated by
whoever comes next: the same decision again, the expiry, or a retried request.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import InvalidInput, InvalidTransition, PolicyDenied
from pentad.domain.ids import hash_user
from pentad.domain.runs import Actor, Approval, ApprovalStatus, Run
from pentad.memory.sessions.ports import SessionStore
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.carry_out import CarryOut
from pentad.orchestration.approvals.decision_rules import (
    RACES,
    REASON_CHARACTERS,
    Say,
    Verb,
    apply_say,
    count_escalations,
    make_contention_error,
    shown_hash,
)
from pentad.orchestration.approvals.edited_arguments import check_json
from pentad.orchestration.approvals.notices import build_announcement
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import EventPublisher, RunStore, WorkflowEngine
from pentad.orchestration.trace.root_spans import build_wait_span


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
        tenant_id: str,
        approval_id: str,
        decision: Verb,
        *,
        by: str,
        groups: Collection[str] | None = None,
        actor: Actor | None = None,
        reason: str | None = None,
        arguments_hash: str | None = None,
        text: str | None = None,
        arguments: Mapping[int, dict[str, Any]] | None = None,
        group: str | None = None,
        allow_tool_for_run: bool = False,
    ) -> Approval:
        """Store a decision and let the run go on. The same decision again does the rest of what a crash left.

        Args:
            tenant_id: the tenant.
            approval_id: which one.
            decision: what to do.
            by: who decides, for the record.
            groups: those that the human is in; None decides for all of them.
            actor: who decides, by which credential and from where; votes count by its person.
            reason: why; told to the model on a reject.
            arguments_hash: of what the human was shown; needed where several decide.
            text: the answer, or the draft as edited.
            arguments: whole edited arguments by the call's index.
            group: who is asked instead; the next of the agent's groups where None.
            allow_tool_for_run: the approved calls' tools need no approval for the rest of the run.

        Raises:
            NotFound: no such approval for this tenant.
            PolicyDenied: the human is not in the group that is asked, or has asked for what others have to decide.
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
            actor=actor,
        )
        before, after = self._store(tenant_id, approval_id, say, groups)
        if after.version > before.version:
            self._record_outcome(before, after, say)
        self._follow(before, after, say)
        return after

    def _store(self, tenant_id: str, name: str, say: Say, groups: Collection[str] | None) -> tuple[Approval, Approval]:
        first: Approval | None = None
        for _ in range(RACES):
            before = self._approvals.get(tenant_id, name)
            if groups is not None and before.group not in groups:
                raise PolicyDenied(
                    f"only the group '{before.group}' can decide, and your credential does not belong to it",
                    field="group",
                    fix=f"use a credential of the group '{before.group}'",
                )
            first = first or before
            if say.shown is None and shown_hash(before) != shown_hash(first):
                raise InvalidTransition(
                    "the approval has just changed", field="approval", fix="read it again, then decide"
                )
            after = apply_say(before, say, self._catalog.tools)
            if after == before:
                return before, before
            self._check_open(before)
            if self._approvals.replace(after):
                return before, after
        raise make_contention_error()

    def _check_open(self, approval: Approval) -> None:
        run = self._runs.get(approval.tenant_id, approval.run_id)
        if run.status.ended:
            raise InvalidTransition(f"the run has ended: it is {run.status}", field="approval")

    def _follow(self, before: Approval, after: Approval, say: Say) -> None:
        """Do what follows. A vote or a repeated escalation that decides nothing leads to nothing more."""
        handed_on = count_escalations(after) > count_escalations(before)
        if after.status is ApprovalStatus.PENDING and not handed_on and say.verb != "escalate":
            return
        if not self._runs.get(after.tenant_id, after.run_id).status.ended:
            self._complete_task(after)
        self._events.publish(*build_announcement(after))

    def _complete_task(self, approval: Approval) -> None:
        output = self._carry_out(approval)
        try:
            self._engine.complete_task(self._approvals.get_token(approval.tenant_id, approval.approval_id), output)
        except InvalidTransition:
            # Woken by an earlier try, or timed out just now: then the expiry carries this out.
            self._telemetry.log_event("approval.task_gone", approval=approval.approval_id)

    def _record_outcome(self, before: Approval, after: Approval, say: Say) -> None:
        # A line can't be changed when a user is erased: it names a user by the hash. No user's id has a colon.
        by = say.by if say.by.startswith("key:") else hash_user(say.by)
        self._telemetry.log_event(
            "approval.said", approval=after.approval_id, verb=say.verb, by=by, status=after.status
        )
        if after.status is not ApprovalStatus.PENDING:
            edited = any(change.what == "edited" for change in after.changes)
            outcome = "edited" if edited and after.status is ApprovalStatus.APPROVED else after.status.value
            record_decision(self._telemetry, after, outcome, self._runs.get(after.tenant_id, after.run_id))
        elif count_escalations(after) > count_escalations(before):
            self._telemetry.count(names.APPROVAL_ESCALATIONS, agent=after.agent, outcome="decided")


def record_decision(telemetry: Telemetry, approval: Approval, outcome: str, run: Run) -> None:
    """Count a decision, and how long it took since the group was asked that made it; write the span of the wait."""
    telemetry.record_span(build_wait_span(run, approval, outcome))
    telemetry.count(names.APPROVALS_DECIDED, outcome=outcome, kind=approval.kind)
    if approval.decided_at is not None:
        took = (approval.decided_at - approval.created_at).total_seconds() * 1000
        telemetry.count(names.APPROVAL_DURATION, took, unit="Milliseconds", kind=approval.kind)
