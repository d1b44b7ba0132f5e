"""Human decisions: ask, decide, expire. What was shown is what runs; a decision that is stored is carried out.

The approval's status is the one place where a decision is made, by a conditional write. Everything after it (the
calls' status, the run's status, waking the execution) follows from it and may be repeated by whoever comes next: the
same decision again, or the expiry.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from pentad.domain.agents import Catalog
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus, CallRef, CallStatus, RunStatus, ToolCall
from pentad.observability import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.decide import references
from pentad.orchestration.ports import ApprovalStore, RunStore, WorkflowEngine
from pentad.tools.canonical import sha256_of

REASON_CHARACTERS = 1000
_STATUS = {"approve": ApprovalStatus.APPROVED, "reject": ApprovalStatus.REJECTED}


def shown_hash(approval: Approval) -> str:
    """Return the hash that stands for all that an approval shows: of its one call, or of the calls' hashes."""
    hashes = [call.arguments_hash for call in approval.calls]
    return hashes[0] if len(hashes) == 1 else sha256_of(hashes)


class Asking:
    """The two sides of the AwaitHuman state: ask, and expire.

    Args:
        catalog: agents, for how long an approval waits.
        runs: the store of runs.
        approvals: the store of approvals.
        engine: wakes the execution where the decision was there before this try of the state.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        approvals: ApprovalStore,
        engine: WorkflowEngine,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._approvals = approvals
        self._engine = engine
        self._telemetry = telemetry
        self._now = now

    def request(self, tenant: str, run: str, step: int, task_token: str) -> Approval:
        """Store what a human has to decide and let the run wait.

        Where an earlier try of the state stored it and the decision came since, the execution goes on at once.

        Raises:
            NotFound: no such run, or no call of the step awaits a human.
        """
        decided = self._decided(tenant, run, step)
        if decided is not None:
            self._wake(decided, task_token)
            return decided
        current = self._runs.get(tenant, run)
        calls = [call for call in self._runs.calls(tenant, run, step) if call.status is CallStatus.AWAITING]
        if not calls:
            raise NotFound("no call of this step awaits a human", field="step")
        now = self._now()
        agent = self._catalog.agents.get(current.agent)
        if agent is None:
            raise NotFound(f"there is no agent {current.agent}", field="agent")
        approval = Approval(
            tenant=tenant,
            approval=approval_id(run, step),
            run=run,
            step=step,
            agent=current.agent,
            session=current.session,
            status=ApprovalStatus.PENDING,
            calls=tuple(_shown(call) for call in calls),
            created_at=now,
            expires_at=now + timedelta(seconds=agent.approval_seconds),
        )
        # The run waits first: a decision that comes at once finds it so.
        self._runs.set_status(tenant, run, RunStatus.AWAITING_HUMAN)
        stored = self._approvals.create(approval, task_token)
        if stored.status is not ApprovalStatus.PENDING:
            self._wake(stored, task_token)
        self._telemetry.count(names.APPROVALS_REQUESTED, agent=current.agent)
        self._telemetry.event("approval.requested", approval=stored.approval, calls=len(calls))
        return stored

    def _decided(self, tenant: str, run: str, step: int) -> Approval | None:
        try:
            approval = self._approvals.get(tenant, approval_id(run, step))
        except NotFound:
            return None
        return None if approval.status is ApprovalStatus.PENDING else approval

    def _wake(self, approval: Approval, task_token: str) -> None:
        calls = carry_out(self._runs, approval, self._now())
        self._engine.succeed(task_token, {"calls": [ref.model_dump() for ref in calls]})

    def expire(self, tenant: str, run: str, step: int) -> tuple[CallRef, ...]:
        """Close an approval whose time is over and return the calls to run.

        A decision made in the last moment counts, even where it could not wake the execution any more.
        """
        name = approval_id(run, step)
        try:
            approval = self._approvals.decide(
                tenant, name, ApprovalStatus.EXPIRED, by="system", reason=None, at=self._now()
            )
            self._telemetry.count(names.APPROVALS_DECIDED, outcome="expired")
        except InvalidTransition:
            approval = self._approvals.get(tenant, name)
        return carry_out(self._runs, approval, self._now())


class Decide:
    """A human's decision, as the API takes it.

    Args:
        runs: the store of runs.
        approvals: the store of approvals.
        engine: wakes the execution.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        runs: RunStore,
        approvals: ApprovalStore,
        engine: WorkflowEngine,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._approvals = approvals
        self._engine = engine
        self._telemetry = telemetry
        self._now = now

    def __call__(
        self,
        tenant: str,
        approval: str,
        decision: Literal["approve", "reject"],
        *,
        by: str,
        reason: str | None = None,
        arguments_hash: str | None = None,
    ) -> Approval:
        """Store a decision and let the run go on. The same decision again does the rest of what a crash left.

        Raises:
            NotFound: no such approval for this tenant.
            InvalidInput: the arguments hash is not that of what the approval shows, or the reason is too long.
            InvalidTransition: decided otherwise, expired, or the run has ended.
        """
        if reason is not None and len(reason) > REASON_CHARACTERS:
            raise InvalidInput(f"the reason has more than {REASON_CHARACTERS} characters", field="reason")
        shown = self._approvals.get(tenant, approval)
        if arguments_hash is not None and arguments_hash != shown_hash(shown):
            raise InvalidInput(
                "the arguments are not those of this approval",
                field="arguments_hash",
                fix="read the approval again and decide on what it shows",
            )
        status = _STATUS[decision]
        if shown.status is not status and self._runs.get(tenant, shown.run).status.ended:
            raise InvalidTransition("the run has ended", field="approval")
        decided = self._approvals.decide(tenant, approval, status, by=by, reason=reason, at=self._now())
        calls = carry_out(self._runs, decided, self._now())
        try:
            self._engine.succeed(
                self._approvals.token(tenant, approval), {"calls": [ref.model_dump() for ref in calls]}
            )
        except InvalidTransition:
            # Woken by an earlier try, or timed out just now: then the expiry carries this decision out.
            self._telemetry.event("approval.task_gone", approval=approval)
        self._telemetry.count(names.APPROVALS_DECIDED, outcome=decided.status.value)
        return decided


def carry_out(runs: RunStore, approval: Approval, now: datetime) -> tuple[CallRef, ...]:
    """Bring calls and run to what an approval's decision says, and return the calls to run. Repeatable."""
    shown = {call.index for call in approval.calls}
    to_run: list[ToolCall] = []
    for call in runs.calls(approval.tenant, approval.run, approval.step):
        if call.index in shown and call.status is CallStatus.AWAITING:
            call = _decided(call, approval, now)
            runs.save_call(call)
        if call.status in {CallStatus.PENDING, CallStatus.APPROVED}:
            to_run.append(call)
    if runs.get(approval.tenant, approval.run).status is RunStatus.AWAITING_HUMAN:
        waited = ((approval.decided_at or now) - approval.created_at).total_seconds()
        runs.set_status(approval.tenant, approval.run, RunStatus.RUNNING, waited_seconds=max(0.0, waited))
    return references(to_run)


def _decided(call: ToolCall, approval: Approval, now: datetime) -> ToolCall:
    if approval.status is ApprovalStatus.APPROVED:
        return call.model_copy(update={"status": CallStatus.APPROVED})
    why = "No human decided in time, so this call was not run."
    if approval.status is ApprovalStatus.REJECTED:
        why = "A human rejected this call; it was not run."
        why += f" Reason: {approval.reason}" if approval.reason else ""
    return call.model_copy(
        update={
            "status": CallStatus.REJECTED,
            "result": why,
            "is_error": True,
            "error_type": "PolicyDenied",
            "ended_at": now,
        }
    )


def _shown(call: ToolCall) -> ApprovalCall:
    return ApprovalCall(index=call.index, tool=call.tool, arguments=call.arguments, arguments_hash=call.arguments_hash)
