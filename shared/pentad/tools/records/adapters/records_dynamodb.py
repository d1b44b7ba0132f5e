"""What tools keep for users, in the table ``records``: partition ``T#{tenant}#{KIND}``, the tool's own sort key."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.tools.records.plain_records import PlainRecords
from pentad.tools.records.ports import CallMark, Expected, Record, RecordState, RecordWrite, WriteRefused
from pentad.tools.records.values import compute_digest, decode_value, encode_value

_NAMES = {
    "type": "#type",
    "body": "#body",
    "digest": "#digest",
    "writer": "#writer",
    "version": "#version",
    "taint": "#taint",
}
_MARK_SECONDS = 400 * 86_400
"""A mark is kept for longer than a run may wait for a human, and be tried again: more than a year."""


class DynamoRecords(PlainRecords):
    """One tenant's records in DynamoDB.

    Args:
        records: the table ``records``.
        tenant_id: whose records.
        clock: ``time.time``.
    """

    def __init__(self, records: Table, tenant_id: str, *, clock: Callable[[], float] = time.time) -> None:
        self._records = records
        self._tenant = tenant_id
        self._clock = clock

    def find(self, kind: str, key: str) -> Record | None:
        """See `RecordTable`."""
        item = self._records.get(keys.collection_pk(self._tenant, kind), key)
        return None if item is None else _read_record(item)

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """See `RecordTable`."""
        pk = keys.collection_pk(self._tenant, kind)
        start = None if after is None else {"pk": pk, "sk": after}
        items, _ = self._records.query(pk, begins=begins or None, limit=limit, start=start)
        return [_read_record(item) for item in items]

    def write(self, one: RecordWrite) -> Record | None:
        """See `RecordTable`."""
        writer = secrets.token_hex(8)
        pk, key, expected = keys.collection_pk(self._tenant, one.kind), one.key, one.expected
        try:
            if one.value is None:
                self._records.delete(pk, key, **_build_condition(expected))
                return None
            return _read_record(self._records.update(pk, key, **_build_update(one, writer)))
        except ConditionFailed as failure:
            if failure.item is not None and failure.item.get("writer") == writer:
                return _read_record(failure.item)  # the first request was done, and its answer was lost
            found = None if failure.item is None else _read_record(failure.item)
            raise WriteRefused({one.place: found}) from failure

    def write_all(self, writes: Sequence[RecordWrite], mark: CallMark | None = None) -> None:
        """See `RecordTable`."""
        if mark is None and len(writes) == 1:
            self.write(writes[0])
            return
        entries = [self._build_entry(one) for one in writes]
        if mark is not None:
            entries.append(self._records.build_put(self._make_mark_item(mark), condition="attribute_not_exists(pk)"))
        if not entries:
            return
        try:
            self._records.transact(entries)
        except ConditionFailed as failure:
            raise _make_refusal(failure, writes) from failure

    def find_answer(self, kind: str, effect_key: str) -> str | None:
        """See `RecordTable`."""
        item = self._records.get(keys.done_pk(self._tenant, kind), effect_key)
        return None if item is None else str(item["body"])

    def _build_entry(self, one: RecordWrite) -> Item:
        pk = keys.collection_pk(self._tenant, one.kind)
        if one.value is None:
            return self._records.build_delete(pk, one.key, **_build_condition(one.expected))
        return self._records.build_update(pk, one.key, **_build_update(one, secrets.token_hex(8)))

    def _make_mark_item(self, mark: CallMark) -> Item:
        return {
            "pk": keys.done_pk(self._tenant, mark.kind),
            "sk": mark.effect_key,
            "type": "mark",
            "body": mark.answer,
            "ttl": int(self._clock()) + _MARK_SECONDS,
        }


def _build_update(one: RecordWrite, writer: str) -> dict[str, Any]:
    """Return the arguments of an update that stores a value: DynamoDB counts the version, read or not."""
    value: dict[str, Any] = one.value or {}
    condition = _build_condition(one.expected)
    return {
        "update": "SET #type = :type, #body = :body, #digest = :digest, #writer = :writer, #taint = :taint "
        "ADD #version :one",
        "condition": condition.get("condition"),
        "names": {short: name for name, short in _NAMES.items()},
        "values": condition.get("values", {})
        | {
            ":type": "record",
            ":body": encode_value(value),
            ":digest": compute_digest(value),
            ":writer": writer,
            ":taint": list(one.taint),
            ":one": 1,
        },
    }


def _build_condition(expected: Expected | None) -> dict[str, Any]:
    if expected is None or expected == "any":
        return {}
    if not isinstance(expected, RecordState):
        return {"condition": f"attribute_{'not_exists' if expected == 'absent' else 'exists'}(pk)"}
    # The digest too, where it is known: a record that was removed and made anew may have the same version.
    parts: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    if expected.digest is not None:
        parts, names, values = ["#digest = :was"], {"#digest": "digest"}, {":was": expected.digest}
    if expected.version is not None:
        names["#version"] = "version"
        if expected.version == 0:
            parts += ["attribute_exists(pk)", "attribute_not_exists(#version)"]
        else:
            parts.append("#version = :seen")
            values[":seen"] = expected.version
    return {"condition": " AND ".join(parts), "names": names, "values": values} if parts else {}


def _make_refusal(failure: ConditionFailed, writes: Sequence[RecordWrite]) -> WriteRefused:
    found = {
        one.place: None if item is None else _read_record(item)
        for one, reason, item in zip(writes, failure.reasons, failure.items, strict=False)
        if reason == "ConditionalCheckFailed"
    }
    mark = failure.items[len(writes)] if len(failure.items) > len(writes) else None
    return WriteRefused(found, None if mark is None else str(mark["body"]))


def _read_record(item: Item) -> Record:
    value = decode_value(item["body"])
    return Record(
        key=item["sk"],
        value=value,
        version=int(item.get("version", 0)),
        digest=item.get("digest") or compute_digest(value),
        taint=tuple(item.get("taint", ())),
    )
