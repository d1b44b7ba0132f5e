"""Records in a dictionary: for tests and for trying a tool without AWS."""

import json
from typing import Any

from pentad.domain.canonical import canonical_json
from pentad.domain.display.unicode_text import replace_halves
from pentad.tools.records.ports import Deletion, Record


class MemoryRecords:
    """The records of all tenants; `of` gives one tenant's store."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str, str], str] = {}

    def get_store(self, tenant_id: str) -> "TenantRecords":
        """Return a tenant's record store."""
        return TenantRecords(self._bodies, tenant_id)


class TenantRecords:
    """One tenant's records in a dictionary; values are kept as text, so nobody shares one by reference."""

    def __init__(self, bodies: dict[tuple[str, str, str], str], tenant_id: str) -> None:
        self._bodies = bodies
        self._tenant = tenant_id

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """See `RecordStore`."""
        place = (self._tenant, kind, key)
        if if_absent and place in self._bodies:
            return False
        self._bodies[place] = replace_halves(canonical_json(value))
        return True

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """See `RecordStore`."""
        body = self._bodies.get((self._tenant, kind, key))
        return None if body is None else dict(json.loads(body))

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """See `RecordStore`."""
        found = sorted(
            key
            for tenant_id, of_kind, key in self._bodies
            if (tenant_id, of_kind) == (self._tenant, kind) and key.startswith(begins)
        )
        return [Record(key=key, value=json.loads(self._bodies[self._tenant, kind, key])) for key in found[:limit]]

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """See `RecordStore`."""
        place = (self._tenant, kind, key)
        if place not in self._bodies:
            return "absent"
        if if_value is not None and self._bodies[place] != replace_halves(canonical_json(if_value)):
            return "changed"
        del self._bodies[place]
        return "deleted"
