"""What tools keep for users, in the table ``records``: partition ``T#{tenant}#{KIND}``, the tool's own sort key."""

import hashlib
import json
from typing import Any

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.canonical import canonical_json
from pentad.domain.display.unicode_text import replace_halves
from pentad.tools.records.ports import Deletion, Record


class DynamoRecords:
    """One tenant's records in DynamoDB.

    Args:
        records: the table ``records``.
        tenant_id: whose records.
    """

    def __init__(self, records: Table, tenant_id: str) -> None:
        self._records = records
        self._tenant = tenant_id

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """See `RecordStore`."""
        body = _encode_value(value)
        item = {
            "pk": keys.collection_pk(self._tenant, kind),
            "sk": key,
            "type": "record",
            "body": body,
            "digest": _compute_digest(body),
        }
        try:
            self._records.put(item, condition="attribute_not_exists(pk)" if if_absent else None)
        except ConditionFailed:
            return False
        return True

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """See `RecordStore`."""
        item = self._records.get(keys.collection_pk(self._tenant, kind), key)
        return None if item is None else _decode_value(item)

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """See `RecordStore`."""
        items, _ = self._records.query(keys.collection_pk(self._tenant, kind), begins=begins or None, limit=limit)
        return [Record(key=item["sk"], value=_decode_value(item)) for item in items]

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """See `RecordStore`."""
        condition, expression = "attribute_exists(pk)", {}
        if if_value is not None:
            condition += " AND #digest = :digest"
            expression = {
                "names": {"#digest": "digest"},
                "values": {":digest": _compute_digest(_encode_value(if_value))},
            }
        try:
            self._records.delete(keys.collection_pk(self._tenant, kind), key, condition=condition, **expression)
        except ConditionFailed as failure:
            # Without the old item there was none: "changed" is only ever the answer to a condition on the value.
            return "absent" if failure.item is None else "changed"
        return "deleted"


def _encode_value(value: dict[str, Any]) -> str:
    return replace_halves(canonical_json(value))


def _compute_digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _decode_value(item: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(item["body"])
    return value
