"""The breaker of all circuits that every Lambda shares: stored circuits behind a cache of two seconds.

What passes a closed circuit costs no request: its state is read from the cache, which is filled by one query for the
circuits that all share and one for those of the tenant that asks, each at most once in two seconds a process. A write
is made when something changes: a failure, the first answer after one, a probe. A breaker must not be the outage it is
there against: where its store does not answer, calls go through.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pentad.domain.errors import StoreUnavailable
from pentad.domain.models import Outcome
from pentad.models.breaker.circuit import (
    GAUGE,
    Admission,
    BreakerPolicy,
    Circuit,
    CircuitState,
    Evidence,
    Forced,
    admit,
    apply_evidence,
    force,
)
from pentad.models.breaker.ports import CircuitStore
from pentad.models.breaker.tenant_breaker import split_circuit_name
from pentad.models.catalog.catalog import Link
from pentad.models.providers.exchange import ProviderFailure
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

CACHE_SECONDS = 2.0
MAX_TENANTS = 256
"""Of so many tenants a process remembers the circuits, those that asked last."""
_TRIES = 6  # optimistic writes; more than enough for a threshold of five, since each lost one was another's success


def circuit_of(link: Link) -> str:
    """Return the name of a link's circuit: one model at one provider, whatever chain it is in."""
    return f"{link.model.provider}/{link.model.name}"


class CircuitOpen(ProviderFailure):
    """Nothing was sent: the circuit is open, or half-open and another caller has the probe."""

    def __init__(self) -> None:
        super().__init__(Outcome.OVERLOAD, "the circuit is open", sent=False)


@lru_cache(maxsize=256)
def _make_closed(name: str) -> Circuit:
    """Return the circuit of a model that nothing was ever against: the usual case, several times a call."""
    return Circuit(name=name)


class AlwaysClosed:
    """A `pentad.models.breaker.ports.Breaker` that lets everything through and remembers nothing."""

    def look(self, name: str) -> Circuit:
        """Return a closed circuit."""
        return Circuit(name=name)

    def admit(self, name: str, *, seconds: float) -> Admission | None:
        """Let it through."""
        return Admission()

    def report(self, name: str, evidence: Evidence) -> None:
        """Forget it."""


@dataclass
class _Seen:
    """What a process saw of the shared circuits or of one tenant's, and until when that is good."""

    circuits: Mapping[str, Circuit] = field(default_factory=dict)
    fresh_until: float = float("-inf")


class SharedBreaker:
    """A `pentad.models.breaker.ports.Breaker` over stored circuits.

    Args:
        store: where circuits are kept.
        policy: thresholds and times.
        telemetry: for the state as a metric; None for none.
        clock: ``time.time``. The clocks of two Lambdas differ by milliseconds; nothing here is as short as that.
        cache_seconds: how long a look at the store is good for.
    """

    def __init__(
        self,
        store: CircuitStore,
        *,
        policy: BreakerPolicy | None = None,
        telemetry: Telemetry | None = None,
        clock: Callable[[], float] = time.time,
        cache_seconds: float = CACHE_SECONDS,
    ) -> None:
        self._store = store
        self._policy = policy or BreakerPolicy()
        self._telemetry = telemetry
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._lock = threading.Lock()
        self._seen: dict[str | None, _Seen] = {}

    def look(self, name: str) -> Circuit:
        """Return the circuit as it was at most two seconds ago; see the port."""
        now, tenant_id = self._clock(), split_circuit_name(name)[1]
        with self._lock:
            seen = self._remember(tenant_id)
            stale = now >= seen.fresh_until
            if stale:  # set first: one thread reads, the others go on with what is there
                seen.fresh_until = now + self._cache_seconds
        if stale:
            self._refresh(seen, tenant_id, now)
        return seen.circuits.get(name) or _make_closed(name)

    def admit(self, name: str, *, seconds: float) -> Admission | None:
        """Return leave for an attempt, or None; see the port."""
        now = self._clock()
        state = self.look(name).get_state(now)
        if state is CircuitState.CLOSED:
            return Admission()
        if state is CircuitState.OPEN:
            self._count(names.BREAKER_SKIPS, name)
            return None
        token = secrets.token_hex(8)
        lease = seconds + self._policy.spare_seconds
        try:
            after, let = self._update(name, lambda circuit: admit(circuit, now, token, lease))
        except StoreUnavailable:
            self._log_unavailable()
            return Admission()
        if not let:
            self._count(names.BREAKER_SKIPS, name)
            return None
        return Admission(token if after.probe == token else None)

    def report(self, name: str, evidence: Evidence) -> None:
        """Learn from an attempt; see the port."""
        now = self._clock()
        known = self.look(name)
        # What the cache says of a closed circuit is enough to see that an answer changes nothing.
        healthy = apply_evidence(known, evidence, now, self._policy) is known and not known.open_until
        if healthy and evidence.probe is None and not evidence.past:
            return
        try:
            self._update(name, lambda circuit: apply_evidence(circuit, evidence, now, self._policy))
        except StoreUnavailable:
            self._log_unavailable()

    def force(self, name: str, forced: Forced | None, *, until: float | None = None) -> Circuit:
        """Hold a circuit open or closed until a time, or (None) close it and let it go.

        Raises:
            StoreUnavailable: the store did not answer, or others' writes were always first.
        """
        after, done = self._update(name, lambda circuit: force(circuit, forced, until))
        if not done:
            raise StoreUnavailable("others are changing this circuit at the same time; try again")
        return after

    def get_all(self, tenant_id: str | None = None) -> Mapping[str, Circuit]:
        """Return the circuits that are stored, as they stand: the shared ones, or a tenant's own.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return self._store.get_all(tenant_id)

    def _remember(self, tenant_id: str | None) -> "_Seen":
        """Return what was seen of a tenant's circuits or of the shared ones; the lock is held."""
        seen = self._seen.pop(tenant_id, None) or _Seen()
        self._seen[tenant_id] = seen  # the last that was asked for stands at the end
        while len(self._seen) > MAX_TENANTS:
            del self._seen[next(iter(self._seen))]
        return seen

    def _refresh(self, seen: "_Seen", tenant_id: str | None, now: float) -> None:
        try:
            found = self._store.get_all(tenant_id)
        except StoreUnavailable:
            self._log_unavailable()
            return
        with self._lock:
            seen.circuits = found
        if tenant_id is None:
            for circuit in found.values():
                self._record_state(circuit, now)

    def _update(self, name: str, change: Callable[[Circuit], Circuit | None]) -> tuple[Circuit, bool]:
        """Apply a change to the stored circuit; return it as it now stands, and false where the change was denied."""
        circuit = self._store.get(name)
        for _ in range(_TRIES):
            after = change(circuit)
            if after is None or after is circuit:
                self._keep(circuit)
                return circuit, after is not None
            if self._store.put(after):
                stored = after.with_changes(version=after.version + 1)
                self._keep(stored)
                self._report_change(circuit, stored)
                return stored, True
            circuit = self._store.get(name)
        self._keep(circuit)
        return circuit, False

    def _keep(self, circuit: Circuit) -> None:
        with self._lock:
            seen = self._remember(split_circuit_name(circuit.name)[1])
            seen.circuits = {**seen.circuits, circuit.name: circuit}

    def _report_change(self, before: Circuit, after: Circuit) -> None:
        now = self._clock()
        was, now_is = before.get_state(now), after.get_state(now)
        if was is now_is or self._telemetry is None:
            return
        level = "INFO" if now_is is CircuitState.CLOSED else "WARNING"
        self._telemetry.log_event(
            "breaker.changed", level=level, circuit=after.name, was=was.value, state=now_is.value, reason=after.reason
        )
        if split_circuit_name(after.name)[1] is None:
            self._record_state(after, now)

    def _record_state(self, circuit: Circuit, now: float) -> None:
        self._count(names.BREAKER_STATE, circuit.name, GAUGE[circuit.get_state(now)], unit="None")

    def _count(self, metric: str, name: str, value: float = 1, *, unit: str = "Count") -> None:
        if self._telemetry is not None:
            # A tenant's own circuit counts as its model's: metrics have no dimension for tenants.
            provider, _, model = split_circuit_name(name)[0].partition("/")
            self._telemetry.count(metric, value, unit=unit, provider=provider, model=model)

    def _log_unavailable(self) -> None:
        if self._telemetry is not None:
            self._telemetry.log_event("breaker.store_unavailable", level="WARNING")
