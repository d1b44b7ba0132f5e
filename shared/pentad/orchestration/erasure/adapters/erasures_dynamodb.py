"""Receipts of erasures in DynamoDB: one item each, in a partition that names the user by a hash."""

from datetime import timedelta

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.orchestration.erasure.ports import RECEIPT_DAYS, Erasure


class DynamoErasures:
    """An `ErasureStore` over the state table.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def get(self, tenant_id: str, user_hash: str, erasure_id: str) -> Erasure | None:
        """See `ErasureStore`."""
        item = self._state.get(keys.erasures_pk(tenant_id, user_hash), erasure_id)
        return None if item is None else _parse(item)

    def find_newest(self, tenant_id: str, user_hash: str) -> Erasure | None:
        """See `ErasureStore`."""
        # Ids sort by time.
        found, _ = self._state.query(keys.erasures_pk(tenant_id, user_hash), limit=1, descending=True)
        return _parse(found[0]) if found else None

    def save(self, erasure: Erasure) -> Erasure | None:
        """See `ErasureStore`."""
        saved = erasure.model_copy(update={"version": erasure.version + 1})
        item = {
            "pk": keys.erasures_pk(erasure.tenant_id, erasure.user_hash),
            "sk": erasure.erasure_id,
            "type": "erasure",
            "version": saved.version,
            "body": saved.model_dump_json(),
            "ttl": int((erasure.updated_at + timedelta(days=RECEIPT_DAYS)).timestamp()),
        }
        try:
            self._state.put(
                item,
                condition="#version = :before" if erasure.version else "attribute_not_exists(pk)",
                names={"#version": "version"} if erasure.version else {},
                values={":before": erasure.version} if erasure.version else {},
            )
        except ConditionFailed:
            return None
        return saved


def _parse(item: Item) -> Erasure:
    with check_readable("the receipt of an erasure"):
        return from_stored(Erasure, item["body"])
