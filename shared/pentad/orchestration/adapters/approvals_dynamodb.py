"""Approvals in DynamoDB; the task token is encrypted before it is stored and is in no view."""

import json
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import ConfigurationError, InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import parse_approval_id
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.memory.ports import Page
from pentad.orchestration.adapters.run_items import iso, spill_key
from pentad.orchestration.adapters.spill import Spill
from pentad.orchestration.ports import TokenCipher

_DECISION = {"status", "decided_at", "decided_by", "reason"}


class DynamoApprovals:
    """An `ApprovalStore` over the state table.

    Args:
        state: the table.
        spill: where large bodies go.
        cipher: encrypts the token; none where tokens are neither written nor read.
    """

    def __init__(self, state: Table, spill: Spill, cipher: TokenCipher | None = None) -> None:
        self._state = state
        self._spill = spill
        self._cipher = cipher

    def create(self, approval: Approval, task_token: str) -> Approval:
        """See `ApprovalStore`."""
        sealed = self._key().encrypt(task_token, tenant=approval.tenant, approval=approval.approval)
        try:
            self._state.put(self._new_item(approval, sealed), condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return self._replace_token(approval, sealed)
        return approval

    def get(self, tenant: str, approval: str) -> Approval:
        """See `ApprovalStore`."""
        return self._approval(self._item(tenant, approval))

    def token(self, tenant: str, approval: str) -> str:
        """See `ApprovalStore`."""
        sealed = str(self._item(tenant, approval)["token"])
        return self._key().decrypt(sealed, tenant=tenant, approval=approval)

    def decide(
        self, tenant: str, approval: str, status: ApprovalStatus, *, by: str, reason: str | None, at: datetime
    ) -> Approval:
        """See `ApprovalStore`."""
        stored = self.get(tenant, approval)
        if stored.status is not ApprovalStatus.PENDING:
            return _settled(stored, status)
        if at >= stored.expires_at and status is not ApprovalStatus.EXPIRED:
            raise InvalidTransition("the approval has expired", field="approval")
        pk, sk = _place(tenant, approval)
        names = {"#status": "status", "#reason": "reason"}
        values = {":to": status.value, ":pending": ApprovalStatus.PENDING.value, ":at": iso(at), ":by": by}
        update = "SET #status = :to, decided_at = :at, decided_by = :by"
        if reason is None:
            names.pop("#reason")
        else:
            update += ", #reason = :reason"
            values[":reason"] = reason
        try:
            item = self._state.update(
                pk, sk, f"{update} REMOVE gsi1pk, gsi1sk", condition="#status = :pending", names=names, values=values
            )
        except ConditionFailed:
            return _settled(self.get(tenant, approval), status)
        return self._approval(item)

    def pending(self, tenant: str, *, limit: int = 50, cursor: str | None = None) -> Page[Approval]:
        """See `ApprovalStore`."""
        pk = keys.collection(tenant, "APPROVALS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", limit=limit, start=start)
        return Page[Approval](items=tuple(self._approval(item) for item in items), cursor=encode_cursor(end))

    def _key(self) -> TokenCipher:
        if self._cipher is None:
            raise ConfigurationError("this function has no key for task tokens", fix="set APPROVAL_KEY")
        return self._cipher

    def _new_item(self, approval: Approval, sealed: str) -> Item:
        pk, sk = _place(approval.tenant, approval.approval)
        place = spill_key(approval.tenant, approval.run, {"sk": sk})
        item: Item = {
            "pk": pk,
            "sk": sk,
            "type": "approval",
            "gsi1pk": keys.collection(approval.tenant, "APPROVALS"),
            "gsi1sk": f"{iso(approval.created_at)}#{approval.approval}",
            "status": approval.status.value,
            "token": sealed,
        }
        return item | self._spill.pack("body", place, approval.model_dump_json(exclude=_DECISION))

    def _replace_token(self, approval: Approval, sealed: str) -> Approval:
        pk, sk = _place(approval.tenant, approval.approval)
        try:
            item = self._state.update(
                pk,
                sk,
                "SET #token = :token",
                condition="#status = :pending",
                names={"#token": "token", "#status": "status"},
                values={":token": sealed, ":pending": ApprovalStatus.PENDING.value},
            )
        except ConditionFailed:
            return self.get(approval.tenant, approval.approval)
        return self._approval(item)

    def _item(self, tenant: str, approval: str) -> Item:
        item = self._state.get(*_place(tenant, approval))
        if item is None:
            raise NotFound("there is no such approval", field="approval")
        return item

    def _approval(self, item: Item) -> Approval:
        values = json.loads(self._spill.unpack("body", item) or "{}")
        return Approval.model_validate(values | {name: item[name] for name in _DECISION & set(item)})


def _place(tenant: str, approval: str) -> tuple[str, str]:
    try:
        run, step = parse_approval_id(approval)
    except InvalidInput as error:
        raise NotFound("there is no such approval", field="approval") from error
    return keys.run_pk(tenant, run), keys.approval_sk(step)


def _settled(stored: Approval, wanted: ApprovalStatus) -> Approval:
    if stored.status is not wanted:
        raise InvalidTransition(f"the approval is {stored.status} already", field="approval")
    return stored
