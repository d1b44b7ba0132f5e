"""Switches in dictionaries: for tests and for one process."""

import threading
from collections.abc import Sequence

from pentad.orchestration.switches.ports import EVERYTHING, Scope, Switch, ToolHealth


class MemorySwitches:
    """A `SwitchStore`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._switches: dict[tuple[str, str], Switch] = {}
        self._health: dict[tuple[str, str], ToolHealth] = {}

    def read(
        self, tenant_id: str, agent: str | None, tools: Sequence[str]
    ) -> tuple[Sequence[Switch], dict[str, ToolHealth]]:
        """See `SwitchStore`."""
        places = [("all", EVERYTHING), ("tenant", tenant_id), *(("tool", tool) for tool in tools)]
        places += [] if agent is None else [("agent", agent)]
        with self._lock:
            switches = [self._switches[place] for place in places if place in self._switches]
            return switches, {
                tool: self._health[tenant_id, tool] for tool in tools if (tenant_id, tool) in self._health
            }

    def put(self, switch: Switch) -> None:
        """See `SwitchStore`."""
        with self._lock:
            self._switches[switch.scope, switch.subject] = switch

    def remove(self, scope: Scope, subject: str) -> bool:
        """See `SwitchStore`."""
        with self._lock:
            return self._switches.pop((scope, subject), None) is not None

    def get_all(self) -> list[Switch]:
        """See `SwitchStore`."""
        with self._lock:
            return [self._switches[place] for place in sorted(self._switches)]

    def save(self, tenant_id: str, health: ToolHealth) -> bool:
        """See `SwitchStore`."""
        with self._lock:
            stored = self._health.get((tenant_id, health.tool))
            if (stored.version if stored else 0) != health.version:
                return False
            self._health[tenant_id, health.tool] = health.model_copy(update={"version": health.version + 1})
            return True

    def forget(self, tenant_id: str, tool: str) -> None:
        """See `SwitchStore`."""
        with self._lock:
            self._health.pop((tenant_id, tool), None)

    def list_failing(self, tenant_id: str) -> list[ToolHealth]:
        """See `SwitchStore`."""
        with self._lock:
            return [one for (owner, _), one in sorted(self._health.items()) if owner == tenant_id]
