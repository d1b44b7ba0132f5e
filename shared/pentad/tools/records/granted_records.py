"""Check a tool's access to records against its grants; the bounds are those of its role."""

from collections.abc import Sequence
from typing import Any

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.tools.records.grants import Grant
from pentad.tools.records.ports import Deletion, Record, RecordStore

MAX_KEY = 512
MAX_VALUE_BYTES = 300_000
MAX_QUERY = 1000


class GrantedRecords:
    """Records, checked against grants before the store is asked.

    Args:
        store: the tenant's store.
        grants: the tool's grants on this resource.
        tool: the tool's name, for messages.
    """

    def __init__(self, store: RecordStore, grants: Sequence[Grant], tool: str) -> None:
        self._store = store
        self._reads = frozenset(grant.keys for grant in grants if grant.reads)
        self._writes = frozenset(grant.keys for grant in grants if grant.writes)
        self._tool = tool

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """Store a record; see the port."""
        self._check(kind, key, self._writes, "write")
        try:
            size = len(canonical_json(value).encode())
        except (TypeError, ValueError) as error:
            raise InvalidInput("a record's value is not JSON", field="value", fix="use JSON types") from error
        if size > MAX_VALUE_BYTES:
            raise InvalidInput(
                f"a record has {size:,} bytes", field="value", fix=f"keep it under {MAX_VALUE_BYTES:,} bytes"
            )
        return self._store.put(kind, key, value, if_absent=if_absent)

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a record's value, or None; see the port."""
        self._check(kind, key, self._reads, "read")
        return self._store.get(kind, key)

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """Return records in key order; see the port."""
        self._check(kind, begins or "-", self._reads, "read")
        if not 1 <= limit <= MAX_QUERY:
            raise InvalidInput("the limit is out of bounds", field="limit", fix=f"use 1 to {MAX_QUERY}")
        return self._store.query(kind, begins=begins, limit=limit)

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """Delete a record; see the port."""
        self._check(kind, key, self._writes, "write")
        return self._store.delete(kind, key, if_value=if_value)

    def _check(self, kind: str, key: str, allowed: frozenset[str], access: str) -> None:
        if kind not in allowed:
            raise PolicyDenied(
                f"the tool '{self._tool}' has no grant to {access} records of kind '{kind}'",
                field="permissions",
                fix=f'declare Grant("records", "{access}", keys="{kind}")',
            )
        if not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput("a record's key is out of bounds", field="key", fix=f"use 1 to {MAX_KEY} characters")
