"""Approvals in a dictionary, tokens encrypted as elsewhere."""

import threading
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.keys import iso
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.domain.values import Page
from pentad.orchestration.approvals.decision_rules import settle
from pentad.orchestration.approvals.ports import TokenCipher


class MemoryApprovals:
    """An `ApprovalStore`.

    Args:
        cipher: encrypts the token.
    """

    def __init__(self, cipher: TokenCipher) -> None:
        self._cipher = cipher
        self._lock = threading.Lock()
        self._approvals: dict[tuple[str, str], Approval] = {}
        self._tokens: dict[tuple[str, str], str] = {}

    def create(self, approval: Approval, task_token: str) -> Approval:
        """See `ApprovalStore`."""
        place = (approval.tenant_id, approval.approval_id)
        sealed = self._cipher.encrypt(task_token, tenant_id=approval.tenant_id, approval_id=approval.approval_id)
        with self._lock:
            stored = self._approvals.setdefault(place, approval)
            if stored.status is ApprovalStatus.PENDING:
                self._tokens[place] = sealed
            return stored

    def get(self, tenant_id: str, approval_id: str) -> Approval:
        """See `ApprovalStore`."""
        stored = self._approvals.get((tenant_id, approval_id))
        if stored is None:
            raise NotFound("no such approval", field="approval")
        return stored

    def get_token(self, tenant_id: str, approval_id: str) -> str:
        """See `ApprovalStore`."""
        self.get(tenant_id, approval_id)
        return self._cipher.decrypt(self._tokens[tenant_id, approval_id], tenant_id=tenant_id, approval_id=approval_id)

    def replace(self, approval: Approval) -> bool:
        """See `ApprovalStore`."""
        with self._lock:
            stored = self.get(approval.tenant_id, approval.approval_id)
            if stored.version != approval.version - 1:
                return False
            self._approvals[approval.tenant_id, approval.approval_id] = approval
            return True

    def decide(
        self, tenant_id: str, approval_id: str, status: ApprovalStatus, *, by: str, reason: str | None, at: datetime
    ) -> Approval:
        """See `ApprovalStore`."""
        return settle(self, tenant_id, approval_id, status, by=by, reason=reason, at=at)

    def list_pending(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Approval]:
        """See `ApprovalStore`."""
        pk = keys.collection_pk(tenant_id, "APPROVALS")
        start = decode_cursor(cursor, pk)
        own = [one for one in self._approvals.values() if one.tenant_id == tenant_id]
        ranked = sorted((one for one in own if one.status is ApprovalStatus.PENDING), key=_sort_key)
        after = [one for one in ranked if start is None or _sort_key(one) > start["sk"]]
        end = {"pk": pk, "sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[Approval](items=tuple(after[:limit]), cursor=encode_cursor(end))

    def list_all(self, tenant_id: str) -> list[Approval]:
        """Return all of a tenant."""
        return [one for one in self._approvals.values() if one.tenant_id == tenant_id]

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = 1000) -> list[Approval]:
        """See `ApprovalStore`."""
        own = [one for one in self._approvals.values() if (one.tenant_id, one.run_id) == (tenant_id, run_id)]
        return sorted(own, key=lambda one: one.step, reverse=True)[:limit]


def _sort_key(approval: Approval) -> str:
    return f"{iso(approval.created_at)}#{approval.approval_id}"
