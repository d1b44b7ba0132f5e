"""The breaker as one tenant's calls see it: its own circuit of a model, and the one that all tenants share.

What a tenant can bring about (its long prompts that time out, its bursts that the provider limits, a failure that only
its requests meet) opens its own circuit, by the rules of one that nobody shares. The shared circuit takes a tenant's
failures for less: see `pentad.models.breaker.circuit.BreakerPolicy`.
"""

from dataclasses import replace

from pentad.models.breaker.circuit import Admission, Circuit, Evidence
from pentad.models.breaker.ports import Breaker

OWN_MARK = "#tenant="


def name_own_circuit(name: str, tenant_id: str) -> str:
    """Return the name of a tenant's own circuit of a model."""
    return f"{name}{OWN_MARK}{tenant_id}"


def split_circuit_name(name: str) -> tuple[str, str | None]:
    """Return the model's circuit that a circuit is of, and the tenant whose own it is; None where all share it."""
    shared, mark, tenant_id = name.partition(OWN_MARK)
    return shared, tenant_id if mark else None


class TenantBreaker:
    """A `pentad.models.breaker.ports.Breaker` for the calls of one tenant; made for each call.

    Args:
        breaker: keeps the circuits.
        tenant_id: whose calls they are.
    """

    def __init__(self, breaker: Breaker, tenant_id: str) -> None:
        self._breaker = breaker
        self._tenant_id = tenant_id
        self._probes: dict[str, tuple[str | None, str | None]] = {}

    def look(self, name: str) -> Circuit:
        """Return the circuit that keeps the tenant's calls away for longer; a command on the shared one decides."""
        shared = self._breaker.look(name)
        if shared.forced is not None:
            return shared
        own = self._breaker.look(name_own_circuit(name, self._tenant_id))
        return own if own.open_until > shared.open_until else shared

    def admit(self, name: str, *, seconds: float) -> Admission | None:
        """Return leave if both circuits give it; see the port."""
        own_name = name_own_circuit(name, self._tenant_id)
        shared = self._breaker.admit(name, seconds=seconds)
        if shared is None:
            return None
        own: Admission | None = None
        try:
            held_closed = self._breaker.look(name).forced == "closed"
            own = Admission() if held_closed else self._breaker.admit(own_name, seconds=seconds)
        finally:
            if own is None:
                # The shared circuit's probe is free for another tenant's call.
                self._breaker.report(name, Evidence(None, 0.0, seconds, probe=shared.probe))
        if own is None:
            return None
        self._probes[name] = (shared.probe, own.probe)
        return Admission(shared.probe or own.probe)

    def report(self, name: str, evidence: Evidence) -> None:
        """Tell both circuits; see the port."""
        shared, own = self._probes.pop(name, (None, None))
        self._breaker.report(name, replace(evidence, probe=shared, tenant_id=self._tenant_id))
        self._breaker.report(name_own_circuit(name, self._tenant_id), replace(evidence, probe=own))
