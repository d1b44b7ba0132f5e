"""Decide what may run now: kill switches, and tools that are out of order for a while.

An operator's switch on everything, a tenant, an agent or a tool holds until it is taken back. A tool that fails for
good `FAILURES` times in a row is out of order for a time that doubles with each failure after that; when it is over,
one call tries (half-open), and its end decides: a success clears the tool, a failure puts it out of order again, and
one that says nothing about the tool lets another call try.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pentad.domain.errors import EffectUncertain, InvalidInput, PermanentError, ToolBusy, iter_leaves
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.switches.ports import Availability, Switch, SwitchStore, ToolHealth

FAILURES = 5
COOLDOWN_SECONDS = 60
MAX_COOLDOWN_SECONDS = 900
PROBE_SECONDS = 30
"""For so long nobody else tries a tool that one call is trying."""
_TRIES = 5
_REMEMBERED = 1000

_CALLERS_FAULT = (
    {InvalidInput.__name__, ValueError.__name__} | {leaf.__name__ for leaf in iter_leaves(PermanentError)}
) - {EffectUncertain.__name__}
"""Errors that say nothing about the tool: it was not allowed, was called wrongly, or says itself (`ToolFailed`) that
it can't do what it was asked. They neither count nor clear. Python's own word for a wrong argument is ValueError.
Classes that come from these are told apart where they are raised (`ToolAnswer.callers_fault`). An effect is uncertain
where nobody answered, so that counts."""
_NEVER_RAN = frozenset(
    {
        ToolBusy.__name__,
        "Lambda.SnapStartException",
        "Lambda.SnapStartNotReadyException",
        "Lambda.SnapStartTimeoutException",
        "Lambda.TooManyRequestsException",
    }
)
"""Lambda had no room for the tool's function, or for the one that asks it: neither says anything about the tool."""


def is_tool_fault(error: str) -> bool:
    """Tell whether an error is the tool's own, and not one of whoever called it."""
    return error not in _CALLERS_FAULT | _NEVER_RAN


def add_failure(health: ToolHealth | None, tool: str, error: str, now: datetime) -> ToolHealth:
    """Return a tool's health after one more failure."""
    failures = 1 + (health.failures if health is not None else 0)
    until = None
    if failures >= FAILURES:
        until = now + timedelta(seconds=min(COOLDOWN_SECONDS * 2 ** (failures - FAILURES), MAX_COOLDOWN_SECONDS))
    version = health.version if health is not None else 0
    return ToolHealth(tool=tool, failures=failures, error=error, failed_at=now, until=until, version=version)


@dataclass
class Switches:
    """A `Switchboard`, and the gate of the tools' runtime.

    Args:
        store: where switches are kept.
        telemetry: metrics and logs.
        now: the clock.
    """

    store: SwitchStore
    telemetry: Telemetry
    now: Callable[[], datetime]
    _ailing: dict[tuple[str, str], None] = field(default_factory=dict)

    def get_availability(self, tenant_id: str, agent: str, tools: Sequence[str]) -> Availability:
        """See `Switchboard`."""
        switches, health = self._read(tenant_id, agent, tools)
        now = self.now()
        unavailable = {name: one.sentence for name, one in health.items() if one.is_out_of_order(now)}
        unavailable |= {one.subject: one.sentence for one in switches if one.scope == "tool"}
        stops = sorted((one for one in switches if one.scope != "tool"), key=lambda one: one.scope != "all")
        if not stops:
            return Availability(None, unavailable)
        return Availability(stops[0].sentence, unavailable, agent_only=all(one.scope == "agent" for one in stops))

    def admit(self, tenant_id: str, agent: str, tool: str, call_key: str) -> str | None:
        """Return why a tool may not run now, or None. Where it is half-open, this call is the one that tries.

        Args:
            tenant_id: the tenant.
            agent: who calls.
            tool: the tool.
            call_key: the call's: its next try is no other call, and is not kept out by its own first.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        switches, health = self._read(tenant_id, agent, (tool,))
        if switches:
            return switches[0].sentence
        sick = health.get(tool)
        if sick is None or sick.until is None:
            return None
        now = self.now()
        if sick.is_out_of_order(now):
            return None if sick.tried_by == call_key else sick.sentence
        probe = sick.model_copy(update={"until": now + timedelta(seconds=PROBE_SECONDS), "tried_by": call_key})
        if self.store.save(tenant_id, probe):
            self.telemetry.log_event("tool.probed", tenant=tenant_id, tool=tool)
            return None
        return probe.sentence  # Another call tries it at this moment.

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        """See `Switchboard`."""
        if not is_tool_fault(error):
            return
        for _ in range(_TRIES):
            _, health = self._read(tenant_id, None, (tool,))
            after = add_failure(health.get(tool), tool, error, self.now())
            if not self.store.save(tenant_id, after):
                continue
            if after.until is not None:
                self.telemetry.count(names.TOOLS_UNAVAILABLE, tool=tool)
                self.telemetry.log_event("tool.unavailable", level="WARNING", tenant=tenant_id, tool=tool, error=error)
            return

    def record_success(self, tenant_id: str, tool: str) -> None:
        """See `Switchboard`. A tool that had not failed when it was last read is left alone."""
        if (tenant_id, tool) not in self._ailing:
            return
        self.store.forget(tenant_id, tool)
        self._ailing.pop((tenant_id, tool), None)

    def _read(
        self, tenant_id: str, agent: str | None, tools: Sequence[str]
    ) -> tuple[Sequence[Switch], dict[str, ToolHealth]]:
        switches, health = self.store.read(tenant_id, agent, tools)
        for tool in tools:
            self._ailing.pop((tenant_id, tool), None)
            if tool in health and len(self._ailing) < _REMEMBERED:
                self._ailing[tenant_id, tool] = None
        return switches, health
