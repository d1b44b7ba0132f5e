"""Records in a dictionary: for tests and for trying a tool without AWS."""

import threading
from collections.abc import Sequence

from pentad.tools.records.plain_records import PlainRecords, is_as_expected
from pentad.tools.records.ports import CallMark, Place, Record, RecordWrite, WriteRefused
from pentad.tools.records.values import compute_digest, decode_value, encode_value

_Key = tuple[str, str, str]


class MemoryRecords:
    """The records of all tenants; `get_store` gives one tenant's."""

    def __init__(self) -> None:
        self._bodies: dict[_Key, str] = {}
        self._versions: dict[_Key, int] = {}
        self._taints: dict[_Key, tuple[str, ...]] = {}
        self._answers: dict[_Key, str] = {}
        self._lock = threading.RLock()

    def get_store(self, tenant_id: str) -> "TenantRecords":
        """Return a tenant's record store."""
        return TenantRecords(self, tenant_id)


class TenantRecords(PlainRecords):
    """One tenant's records in a dictionary; values are kept as text, so nobody shares one by reference."""

    def __init__(self, everything: MemoryRecords, tenant_id: str) -> None:
        self._all = everything
        self._tenant = tenant_id

    def find(self, kind: str, key: str) -> Record | None:
        """See `RecordTable`."""
        place = (self._tenant, kind, key)
        with self._all._lock:
            body, version = self._all._bodies.get(place), self._all._versions.get(place, 0)
        if body is None:
            return None
        value = decode_value(body)
        taint = self._all._taints.get(place, ())
        return Record(key=key, value=value, version=version, digest=compute_digest(value), taint=taint)

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """See `RecordTable`."""
        with self._all._lock:
            keys = sorted(
                key
                for tenant_id, of_kind, key in self._all._bodies
                if (tenant_id, of_kind) == (self._tenant, kind)
                and key.startswith(begins)
                and (after is None or key > after)
            )
            found = [self.find(kind, key) for key in keys[:limit]]
        return [record for record in found if record is not None]

    def write(self, one: RecordWrite) -> Record | None:
        """See `RecordTable`."""
        with self._all._lock:
            self.write_all([one])
            return self.find(*one.place)

    def write_all(self, writes: Sequence[RecordWrite], mark: CallMark | None = None) -> None:
        """See `RecordTable`."""
        with self._all._lock:
            if mark is not None and (answer := self.find_answer(mark.kind, mark.effect_key)) is not None:
                raise WriteRefused({}, answer)
            found: dict[Place, Record | None] = {}
            for one in writes:
                current = self.find(*one.place)
                if not is_as_expected(current, one.expected):
                    found[one.place] = current
            if found:
                raise WriteRefused(found)
            bodies = [None if one.value is None else encode_value(one.value) for one in writes]
            for one, body in zip(writes, bodies, strict=True):
                self._store(one, body)
            if mark is not None:
                self._all._answers[self._tenant, mark.kind, mark.effect_key] = mark.answer

    def find_answer(self, kind: str, effect_key: str) -> str | None:
        """See `RecordTable`."""
        return self._all._answers.get((self._tenant, kind, effect_key))

    def _store(self, one: RecordWrite, body: str | None) -> None:
        place = (self._tenant, *one.place)
        if body is None:
            self._all._bodies.pop(place, None)
            self._all._versions.pop(place, None)
            return
        self._all._versions[place] = self._all._versions.get(place, 0) + 1
        self._all._bodies[place] = body
        self._all._taints[place] = one.taint
