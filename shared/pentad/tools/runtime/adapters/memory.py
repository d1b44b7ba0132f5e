"""The tools' stores in memory: real adapters, for tests and for trying a tool without AWS."""

import json
from collections.abc import Callable
from threading import Lock
from typing import Any

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidTransition
from pentad.tools.records.ports import Deletion, Record
from pentad.tools.runtime.ports import AuditEntry, Effect


class MemoryEffects:
    """Effects in a dictionary.

    Args:
        ended: tells whether a run has ended, by its tenant and id; none ends where it is left out.
    """

    def __init__(self, ended: Callable[[str, str], bool] = lambda tenant, run: False) -> None:
        self._effects: dict[tuple[str, str, str], Effect] = {}
        self._lock = Lock()
        self._ended = ended

    def begin(self, effect: Effect, *, in_open_run: bool = False) -> Effect | None:
        """See `EffectStore`."""
        with self._lock:
            if in_open_run and _key(effect) not in self._effects and self._ended(effect.tenant, effect.run):
                raise InvalidTransition("the run has ended: nothing more runs in it", field="run")
            earlier = self._effects.setdefault(_key(effect), effect)
            return None if earlier is effect else earlier

    def find(self, tenant: str, run: str, key: str) -> Effect | None:
        """See `EffectStore`."""
        return self._effects.get((tenant, run, key))

    def finish(self, effect: Effect) -> None:
        """See `EffectStore`."""
        with self._lock:
            earlier = self._effects.get(_key(effect))
            if earlier is None or earlier.status != "done":
                self._effects[_key(effect)] = effect

    def release(self, effect: Effect) -> None:
        """See `EffectStore`."""
        with self._lock:
            earlier = self._effects.get(_key(effect))
            if earlier is not None and earlier.status == "begun":
                del self._effects[_key(effect)]


def _key(effect: Effect) -> tuple[str, str, str]:
    return effect.tenant, effect.run, effect.effect_key


class MemoryAudit:
    """Audit entries in a list."""

    def __init__(self) -> None:
        self._entries: dict[tuple[object, ...], AuditEntry] = {}

    def append(self, entry: AuditEntry) -> None:
        """See `AuditLog`."""
        key = (entry.tenant, entry.run, entry.at, entry.step, entry.index, entry.request_id)
        self._entries.setdefault(key, entry)

    def of_run(self, tenant: str, run: str) -> list[AuditEntry]:
        """See `AuditLog`."""
        entries = (entry for entry in self._entries.values() if (entry.tenant, entry.run) == (tenant, run))
        return sorted(entries, key=lambda entry: (entry.at, entry.step, entry.index, entry.request_id))


class MemoryRecords:
    """The records of all tenants; `of` gives one tenant's store."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str, str], str] = {}

    def of(self, tenant: str) -> "TenantRecords":
        """Return a tenant's record store."""
        return TenantRecords(self._bodies, tenant)


class TenantRecords:
    """One tenant's records in a dictionary; values are kept as text, so nobody shares one by reference."""

    def __init__(self, bodies: dict[tuple[str, str, str], str], tenant: str) -> None:
        self._bodies = bodies
        self._tenant = tenant

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """See `RecordStore`."""
        place = (self._tenant, kind, key)
        if if_absent and place in self._bodies:
            return False
        self._bodies[place] = canonical_json(value)
        return True

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """See `RecordStore`."""
        body = self._bodies.get((self._tenant, kind, key))
        return None if body is None else dict(json.loads(body))

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """See `RecordStore`."""
        found = sorted(
            key
            for tenant, of_kind, key in self._bodies
            if (tenant, of_kind) == (self._tenant, kind) and key.startswith(begins)
        )
        return [Record(key=key, value=json.loads(self._bodies[self._tenant, kind, key])) for key in found[:limit]]

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """See `RecordStore`."""
        place = (self._tenant, kind, key)
        if place not in self._bodies:
            return "absent"
        if if_value is not None and self._bodies[place] != canonical_json(if_value):
            return "changed"
        del self._bodies[place]
        return "deleted"
