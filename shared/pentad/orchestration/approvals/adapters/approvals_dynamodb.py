"""Approvals in DynamoDB; the task token is encrypted before it is stored and is in no view."""

import hashlib
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import ConfigurationError, InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import parse_approval_id
from pentad.domain.keys import iso
from pentad.domain.runs import Approval, ApprovalStatus
from pentad.domain.values import Page
from pentad.orchestration.approvals.decision_rules import settle
from pentad.orchestration.approvals.ports import TokenCipher
from pentad.orchestration.calibration.human_verdicts import judge_approval
from pentad.orchestration.runs.conditions import build_open_check
from pentad.orchestration.runs.spill import Spill, spill_key


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
        sealed = self._get_cipher().encrypt(task_token, tenant_id=approval.tenant_id, approval_id=approval.approval_id)
        putting = self._state.build_put(self._make_item(approval, sealed), condition="attribute_not_exists(pk)")
        try:
            # In one write, so that a run that is cancelled at this moment leaves nobody with a question.
            self._state.transact([putting, self._build_open_check(approval)])
        except ConditionFailed as failure:
            if failure.reasons[0] != "ConditionalCheckFailed":
                raise InvalidTransition("the run has ended, so no human can be asked", field="run") from failure
            return self._replace_token(approval, sealed)
        return approval

    def get(self, tenant_id: str, approval_id: str) -> Approval:
        """See `ApprovalStore`."""
        return self._load_approval(self._get_item(tenant_id, approval_id))

    def get_token(self, tenant_id: str, approval_id: str) -> str:
        """See `ApprovalStore`."""
        sealed = str(self._get_item(tenant_id, approval_id)["token"])
        return self._get_cipher().decrypt(sealed, tenant_id=tenant_id, approval_id=approval_id)

    def replace(self, approval: Approval) -> bool:
        """See `ApprovalStore`."""
        pk, sk = _make_key(approval.tenant_id, approval.approval_id)
        body = self._store_body(approval)
        [attribute] = body
        other = "body" if attribute == "body_spill" else "body_spill"
        names = {"#status": "status", "#version": "version"}
        values: Item = {
            ":status": approval.status.value,
            ":version": approval.version,
            ":before": approval.version - 1,
            ":body": body[attribute],
        }
        update = f"SET #status = :status, #version = :version, {attribute} = :body"
        judged = judge_approval(approval)
        if judged is not None:  # From the list of what waits to that of verdicts.
            update += ", judged = :judged, gsi1pk = :list, gsi1sk = :place"
            values |= {
                ":judged": judged.model_dump_json(),
                ":list": keys.collection_pk(approval.tenant_id, keys.VERDICT_LIST),
                ":place": f"{iso(judged.at)}#{approval.approval_id}",
            }
        update += f" REMOVE {other}"
        if judged is None and approval.status is not ApprovalStatus.PENDING:
            update += ", gsi1pk, gsi1sk"
        try:
            self._state.update(pk, sk, update, condition="#version = :before", names=names, values=values)
        except ConditionFailed as failure:
            if failure.item is None:
                raise NotFound("no such approval", field="approval") from failure
            return False
        return True

    def decide(
        self, tenant_id: str, approval_id: str, status: ApprovalStatus, *, by: str, reason: str | None, at: datetime
    ) -> Approval:
        """See `ApprovalStore`."""
        return settle(self, tenant_id, approval_id, status, by=by, reason=reason, at=at)

    def list_pending(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Approval]:
        """See `ApprovalStore`."""
        pk = keys.collection_pk(tenant_id, "APPROVALS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", limit=limit, start=start)
        return Page[Approval](items=tuple(self._load_approval(item) for item in items), cursor=encode_cursor(end))

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = 1000) -> list[Approval]:
        """See `ApprovalStore`."""
        items, _ = self._state.query(keys.run_pk(tenant_id, run_id), begins=keys.APPROVAL, descending=True, limit=limit)
        return [self._load_approval(item) for item in items]

    def _build_open_check(self, approval: Approval) -> Item:
        return build_open_check(self._state, approval.tenant_id, approval.run_id, or_missing=True)

    def _get_cipher(self) -> TokenCipher:
        if self._cipher is None:
            raise ConfigurationError("this function has no key for task tokens", fix="set APPROVAL_KEY")
        return self._cipher

    def _make_item(self, approval: Approval, sealed: str) -> Item:
        pk, sk = _make_key(approval.tenant_id, approval.approval_id)
        item: Item = {
            "pk": pk,
            "sk": sk,
            "type": "approval",
            "gsi1pk": keys.collection_pk(approval.tenant_id, "APPROVALS"),
            "gsi1sk": f"{iso(approval.created_at)}#{approval.approval_id}",
            "status": approval.status.value,
            "version": approval.version,
            "token": sealed,
        }
        return item | self._store_body(approval)

    def _store_body(self, approval: Approval) -> Item:
        body = approval.model_dump_json()
        # Two who change it at once write two objects: what the slower one writes is not what the item refers to.
        digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        sk = f"{keys.approval_sk(approval.step)}#{approval.version}#{digest}"
        return self._spill.pack("body", spill_key(approval.tenant_id, approval.run_id, {"sk": sk}), body)

    def _replace_token(self, approval: Approval, sealed: str) -> Approval:
        pk, sk = _make_key(approval.tenant_id, approval.approval_id)
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
            return self.get(approval.tenant_id, approval.approval_id)
        return self._load_approval(item)

    def _get_item(self, tenant_id: str, approval_id: str) -> Item:
        item = self._state.get(*_make_key(tenant_id, approval_id))
        if item is None:
            raise NotFound("no such approval", field="approval")
        return item

    def _load_approval(self, item: Item) -> Approval:
        return from_stored(Approval, self._spill.unpack("body", item) or "{}")


def _make_key(tenant_id: str, approval_id: str) -> tuple[str, str]:
    try:
        run_id, step = parse_approval_id(approval_id)
    except InvalidInput as error:
        raise NotFound("no such approval", field="approval") from error
    return keys.run_pk(tenant_id, run_id), keys.approval_sk(step)
