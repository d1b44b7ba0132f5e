"""What the API shows of approvals: all that a human needs to decide, and no task token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from pentad.api.views.view import View
from pentad.domain.declarations.agents import Catalog
from pentad.domain.runs import Actor, Approval, ApprovalCall, ApprovalStatus, Change, Run, RunStatus, Vote
from pentad.domain.values import FrozenValue, stored_name
from pentad.orchestration.approvals.decision_rules import is_bound, shown_hash, shown_text
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.runs.ports import RunStore


def pick_shown(value: FrozenValue, view: type[BaseModel]) -> dict[str, Any]:
    """Return what of a value a view shows, under the names that the API has for it."""
    shown = {name for name in type(value).model_fields if stored_name(name) in view.model_fields}
    return value.model_dump(include=shown)


class ApprovalView(View):
    """A decision that a human owes, with exactly the arguments that would run and the text that is meant."""

    approval: str
    run_id: str
    session: str
    agent: str
    step: int
    kind: Literal["calls", "answer", "question", "escalation"]
    status: ApprovalStatus
    group: str = Field(description="who is asked")
    escalate_to: tuple[str, ...] = Field(description="the groups asked next, in order")
    calls: tuple[ApprovalCall, ...]
    text: str | None = Field(description="the draft as it stands, the question, or why it was escalated")
    confidence: float | None
    arguments_hash: str = Field(description="of all that is shown; give it back to decide on exactly this")
    arguments_hash_required: bool = Field(description="several humans decide, or one has edited it")
    user: str | None = Field(description="the run's user")
    parent: str | None = Field(description="the workflow's run, where the run is a step of one")
    not_requester: bool = Field(description="others than who asked for the run have to decide")
    quorum: int = Field(description="so many have to approve; one reject rejects")
    votes: tuple[Vote, ...]
    changes: tuple[Change, ...] = Field(description="edits and escalations, the first first")
    reminded: int
    on_expiry: Literal["reject", "approve", "escalate"]
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decider: Actor | None = Field(description="who decided, by which credential and from where")
    reason: str | None
    reply: str | None = Field(description="the human's answer, or the draft as edited")
    allowed_tools: tuple[str, ...] = Field(description="need no approval for the rest of the run")


class ApprovalPage(View):
    """Pending approvals, the oldest first."""

    items: tuple[ApprovalView, ...]
    cursor: str | None


def build_approval_view(approval: Approval) -> ApprovalView:
    """Return the view of an approval."""
    own = {
        "run_id": approval.run_id,
        "text": shown_text(approval),
        "arguments_hash": shown_hash(approval),
        "arguments_hash_required": is_bound(approval),
    }
    return ApprovalView(**pick_shown(approval, ApprovalView) | own)


@dataclass(frozen=True)
class HumanWaits:
    """Tells what runs wait for; a workflow waits where the run of one of its agents does.

    Attributes:
        runs: the store of runs.
        approvals: the store of approvals.
        catalog: has the agents' words for users.
    """

    runs: RunStore
    approvals: ApprovalStore
    catalog: Catalog

    def find(self, run: Run) -> tuple[RunStatus, str | None]:
        """Return a run's status as its reader is told it, and the approval that it waits for.

        Of several approvals it is the last of its steps, and of several agents at once one of them.
        """
        pending = self._find_own(run)
        if pending is None and run.kind == "workflow" and run.status in _OPEN:
            for run_id in self.runs.list_children(run.tenant_id, run.run_id)[-_LAST:]:
                pending = self._find_own(self.runs.get(run.tenant_id, run_id))
                if pending is not None:
                    return RunStatus.AWAITING_HUMAN, pending
        return run.status, pending

    def find_words(self, run: Run, status: RunStatus) -> str | None:
        """Return what the user is told while a run, or the one before it in its session, waits for a human."""
        if status is RunStatus.AWAITING_HUMAN or (run.waiting and self._is_behind_human(run)):
            return self.catalog.find_words(run.agent).waiting
        return None

    def _is_behind_human(self, run: Run) -> bool:
        holder = self.runs.find_lease_holder(run.tenant_id, run.session_id)
        return holder is not None and self.runs.get(run.tenant_id, holder).status is RunStatus.AWAITING_HUMAN

    def _find_own(self, run: Run) -> str | None:
        if run.status is not RunStatus.AWAITING_HUMAN:
            return None
        last = self.approvals.list_for_run(run.tenant_id, run.run_id, limit=_LAST)
        return next((one.approval_id for one in last if one.status is ApprovalStatus.PENDING), None)


_LAST = 20
"""Approvals and children that are looked at: so many steps of one run can wait at once."""
_OPEN = (RunStatus.RUNNING, RunStatus.AWAITING_HUMAN)
