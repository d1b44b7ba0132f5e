"""Records that tools keep: filled before a run, read after it."""

import json
from collections.abc import Mapping
from typing import Any

from pentad.domain.keys import collection_pk
from pentad.testing.stack.world import Stack
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.records.grants import is_kind

Json = dict[str, Any]


class KitRecords:
    """The records of the test's tenant.

    Args:
        stack: where.
        tenant_id: whose.
    """

    def __init__(self, stack: Stack, tenant_id: str) -> None:
        self._stack, self._tenant_id = stack, tenant_id

    def fill(self, kind: str, records: Mapping[str, Json]) -> None:
        """Store records of one kind by their keys, as a tool of the tenant would.

        Raises:
            AssertionError: no tool can have records of that kind, or a value is no JSON object.
        """
        if not is_kind(kind):
            raise AssertionError(f"{kind!r} is no kind of record: write it as the tool's Grant does, such as ORDER")
        for key, value in records.items():
            if not isinstance(value, Mapping):
                raise AssertionError(f"the record '{key}' is {value!r:.60}, and no mapping: {{'state': 'new'}}")
        store = DynamoRecords(self._stack.table("records"), self._tenant_id)
        for key, value in records.items():
            store.put(kind, key, value)

    def read(self, kind: str) -> dict[str, Json]:
        """Return all records of one kind by their keys, in key order."""
        found = self._stack.partition(collection_pk(self._tenant_id, kind))
        return {item["sk"]: json.loads(item["body"]) for item in found if item["type"] == "record"}

    def get(self, kind: str, key: str) -> Json | None:
        """Return one record, or None."""
        return self.read(kind).get(key)
