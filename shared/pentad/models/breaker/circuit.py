"""The circuit of one model: when it opens, who may probe, when it closes. Pure; times are ``time.time()`` seconds.

```
            failures in a row, or a rate limit that names its end
   closed ────────────────────────────────────────────────────────> open
     ^                                                               │ the cooldown is over
     │ the probe answered                the probe failed            v
     └──────────────────────── half-open <───────────────────────> (one probe among all)
```

A circuit that tenants share counts the failures of each of them up to a number, so that no tenant opens it alone.

A circuit counts failures in a row, as all Lambdas saw them: any answer sets the count to zero, and so does a minute
without a failure. Evidence that is older than the opening says nothing about what came after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from pentad.domain.models import Outcome
from pentad.domain.values import FrozenValue
from pentad.models.providers.outcomes import RECOVERIES

_NOBODYS = frozenset({Outcome.MALFORMED, Outcome.AUTHENTICATION, Outcome.FAULT})
_PROVIDER_CAUSED = frozenset({Outcome.OVERLOAD, Outcome.CONNECTION})
Forced = Literal["open", "closed"]


class CircuitState(StrEnum):
    """What a circuit lets through: all, one probe, nothing."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


GAUGE: Mapping[CircuitState, int] = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}
"""The states as the metric shows them."""


@dataclass(frozen=True)
class BreakerPolicy:
    """When a circuit opens and for how long.

    Args:
        failures: so many in a row open it.
        window_seconds: a failure is in a row with the one before it when no more time is between them.
        cooldown_seconds: how long the first opening lasts; each failed probe doubles it.
        max_cooldown_seconds: the longest, also where a provider asks for more by Retry-After.
        fair_seconds: a timeout counts as the provider's only where the attempt had so much time.
        tenant_failures: so many of a row may be one tenant's, where the provider brought them about.
        tenant_slips: so many, where the tenant may have: a timeout or a rate limit.
        spare_seconds: a probe's lease is the time of its attempt and this: one whose process died frees the probe then.
    """

    failures: int = 5
    window_seconds: float = 60.0
    cooldown_seconds: float = 30.0
    max_cooldown_seconds: float = 300.0
    fair_seconds: float = 10.0
    tenant_failures: int = 3
    tenant_slips: int = 1
    spare_seconds: float = 5.0

    def compute_cooldown(self, trips: int) -> float:
        """Return seconds the ``trips``-th opening in a row lasts."""
        # Beyond 30 the power is larger than any cap, and at last larger than a float.
        return min(self.max_cooldown_seconds, self.cooldown_seconds * 2.0 ** min(max(0, trips - 1), 30))


class Circuit(FrozenValue):
    """The circuit of one model as it is stored. ``name`` is ``provider/model``."""

    name: str
    failures: int = Field(default=0, ge=0, description="in a row, while closed")
    failed_at: float = Field(default=0.0, description="the last of them")
    tenants: dict[str, int] = Field(default={}, description="how many of them are whose, where tenants share it")
    trips: int = Field(default=0, ge=0, description="openings in a row, without an answer between")
    opened_at: float = Field(default=0.0, description="the newest evidence for the opening")
    open_until: float = Field(default=0.0, description="end of the cooldown; 0 where it is closed")
    reason: str = Field(default="", description="the outcome that opened it, or who forced it")
    probe: str | None = Field(default=None, description="token of the probe under way")
    probe_until: float = Field(default=0.0, description="end of the probe's lease")
    forced: Forced | None = None
    forced_until: float | None = Field(default=None, description="None: until a command takes it back")
    version: int = Field(default=0, ge=0, description="counts the writes; 0 was never written")

    def get_forced(self, now: float) -> Forced | None:
        """Return what an operator's command holds it at."""
        over = self.forced_until is not None and self.forced_until <= now
        return None if over else self.forced

    def get_state(self, now: float) -> CircuitState:
        """Return the state at a time."""
        forced = self.get_forced(now)
        if forced is not None:
            return CircuitState(forced)
        if not self.open_until:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self.open_until else CircuitState.HALF_OPEN

    def next_try(self, now: float) -> float:
        """Return when it lets something through: now where it does, infinite where only a command opens the way."""
        if self.get_forced(now) == "open":
            return float("inf") if self.forced_until is None else self.forced_until
        if self.get_state(now) is CircuitState.CLOSED:
            return now
        return max(now, self.open_until, self.probe_until if self.probe else 0.0)

    def with_changes(self, **fields: object) -> "Circuit":
        """Return it with other values."""
        return self.model_copy(update=fields)

    def to_closed(self) -> "Circuit":
        """Return it closed, with nothing against it; what a command holds stays."""
        return Circuit(name=self.name, forced=self.forced, forced_until=self.forced_until, version=self.version)


@dataclass(frozen=True)
class Admission:
    """Leave to make one attempt; ``probe`` is its token where it is the probe of a half-open circuit."""

    probe: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What became of one attempt.

    Args:
        outcome: its outcome; None where nothing was sent, or nobody knows.
        started: when it was sent.
        seconds: the time it was given.
        retry_after: seconds the provider asked to wait.
        probe: the probe's token, where it was one.
        past: it was made without the breaker's leave.
        tenant_id: whose call it was, where the circuit is shared; None for an operator's drill, and in a circuit of
            one tenant.
    """

    outcome: Outcome | None
    started: float
    seconds: float
    retry_after: float | None = None
    probe: str | None = None
    past: bool = False
    tenant_id: str | None = None

    @property
    def is_providers(self) -> bool:
        """Whether the provider brought it about, whoever asked."""
        return self.tenant_id is None or self.outcome in _PROVIDER_CAUSED


def admit(circuit: Circuit, now: float, token: str, lease: float) -> Circuit | None:
    """Return the circuit as it is after it let an attempt through, or None where it lets none through.

    Args:
        circuit: the circuit.
        now: the time.
        token: names the attempt, should it be the probe.
        lease: seconds that the probe may take.
    """
    state = circuit.get_state(now)
    if state is CircuitState.CLOSED:
        return circuit
    if state is CircuitState.OPEN or (circuit.probe is not None and circuit.probe_until > now):
        return None
    return circuit.with_changes(probe=token, probe_until=now + lease)


def classify_evidence(evidence: Evidence, policy: BreakerPolicy) -> Literal["answer", "failure", "nothing"]:
    """Return what an attempt says of the provider.

    A refusal, a context overflow, a truncated reply and a complaint about the request are answers: somebody was there
    to give them. A malformed reply, and a fault of our own code, say neither. A timeout of an attempt that had little
    time says more of the caller, and a refused credential more of the credential.
    """
    if evidence.outcome is None or evidence.outcome in _NOBODYS:
        return "nothing"
    if not RECOVERIES[evidence.outcome].down:
        return "answer"
    hasty = evidence.outcome is Outcome.TIMEOUT and evidence.seconds < policy.fair_seconds
    return "nothing" if hasty else "failure"


def apply_evidence(circuit: Circuit, evidence: Evidence, now: float, policy: BreakerPolicy) -> Circuit:
    """Return the circuit after an attempt; the same object where nothing changes.

    Args:
        circuit: the circuit as it stands.
        evidence: what became of the attempt.
        now: the time.
        policy: thresholds and times.
    """
    held = evidence.probe is not None and evidence.probe == circuit.probe
    if circuit.get_forced(now) is not None:
        return circuit
    found = classify_evidence(evidence, policy)
    if found == "nothing":
        return circuit.with_changes(probe=None, probe_until=0.0) if held else circuit
    if not circuit.open_until:
        return _apply_to_closed(circuit, found == "failure", evidence, now, policy)
    if found == "answer":
        return circuit.to_closed() if held or evidence.started >= circuit.opened_at else circuit
    return _apply_to_open(circuit, evidence, now, policy, held=held)


def _apply_to_closed(circuit: Circuit, failed: bool, evidence: Evidence, now: float, policy: BreakerPolicy) -> Circuit:
    if not failed:
        return circuit.to_closed() if circuit.failures else circuit
    if now - circuit.failed_at > policy.window_seconds:
        circuit = circuit.with_changes(failures=0, tenants={})
    shares = dict(circuit.tenants)
    if evidence.tenant_id is not None:
        most = policy.tenant_failures if evidence.is_providers else policy.tenant_slips
        if shares.get(evidence.tenant_id, 0) >= most:
            return circuit
        shares[evidence.tenant_id] = shares.get(evidence.tenant_id, 0) + 1
    counted = circuit.with_changes(failures=circuit.failures + 1, failed_at=now, tenants=shares)
    if _has_known_end(evidence) or counted.failures >= policy.failures:
        return _open_circuit(counted, evidence, now, policy)
    return counted


def _apply_to_open(circuit: Circuit, evidence: Evidence, now: float, policy: BreakerPolicy, *, held: bool) -> Circuit:
    if not evidence.is_providers:  # says nothing to others: the next call may probe
        return circuit.with_changes(probe=None, probe_until=0.0) if held else circuit
    if held:
        return _open_circuit(circuit, evidence, now, policy)
    if evidence.started >= circuit.opened_at:  # an attempt that went past the breaker: a drill, or the last resort
        return _open_circuit(circuit, evidence, now, policy, trips=circuit.trips)
    until = now + min(evidence.retry_after or 0.0, policy.max_cooldown_seconds)
    return circuit.with_changes(open_until=until) if until > circuit.open_until else circuit


def _open_circuit(
    circuit: Circuit, evidence: Evidence, now: float, policy: BreakerPolicy, *, trips: int | None = None
) -> Circuit:
    trips = circuit.trips + 1 if trips is None else trips
    asked = min(evidence.retry_after or 0.0, policy.max_cooldown_seconds)
    pause = asked if _has_known_end(evidence) else max(asked, policy.compute_cooldown(trips))
    return circuit.with_changes(
        failures=0,
        tenants={},
        failed_at=now,
        trips=trips,
        opened_at=now,
        open_until=max(circuit.open_until, now + pause),  # the longest cooldown wins
        reason=evidence.outcome or "",
        probe=None,
        probe_until=0.0,
    )


def _has_known_end(evidence: Evidence) -> bool:
    return evidence.outcome is Outcome.RATE_LIMIT and bool(evidence.retry_after) and evidence.tenant_id is None


def force(circuit: Circuit, forced: Forced | None, until: float | None) -> Circuit:
    """Return the circuit as an operator's command leaves it: held open or closed, or closed and free to open again.

    Args:
        circuit: the circuit as it stands.
        forced: what it is held at; None lets it go, closed.
        until: the end; None for no end.
    """
    fresh = Circuit(name=circuit.name, version=circuit.version)
    if forced is None:
        return fresh
    return fresh.with_changes(forced=forced, forced_until=until, reason="forced")
