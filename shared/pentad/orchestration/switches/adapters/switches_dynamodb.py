"""Switches in DynamoDB: an item a switch in one partition, an item a failing tool under its tenant."""

from collections.abc import Sequence

from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.orchestration.switches.ports import EVERYTHING, Scope, Switch, ToolHealth
from pentad.orchestration.switches.switchboard import MAX_COOLDOWN_SECONDS

_FORGOTTEN_SECONDS = 86_400 + MAX_COOLDOWN_SECONDS
"""A tool that nobody has called for a day starts afresh."""


class DynamoSwitches:
    """A `SwitchStore` over the table ``transient``; a switch has no end of its own.

    Args:
        table: the table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(
        self, tenant_id: str, agent: str | None, tools: Sequence[str]
    ) -> tuple[Sequence[Switch], dict[str, ToolHealth]]:
        """See `SwitchStore`."""
        scopes: list[tuple[Scope, str]] = [
            ("all", EVERYTHING),
            ("tenant", tenant_id),
            *(("tool", one) for one in tools),
        ]
        scopes += [] if agent is None else [("agent", agent)]
        places = [(keys.SWITCH, _make_sort_key(scope, subject)) for scope, subject in scopes]
        places += [(keys.collection_pk(tenant_id, "TOOLS"), tool) for tool in tools]
        items = self._table.get_many(places)
        switches = [from_stored(Switch, item["body"]) for item in items if item["type"] == "switch"]
        health = [from_stored(ToolHealth, item["body"]) for item in items if item["type"] == "tool_health"]
        return switches, {one.tool: one for one in health}

    def put(self, switch: Switch) -> None:
        """See `SwitchStore`."""
        sk = _make_sort_key(switch.scope, switch.subject)
        self._table.put({"pk": keys.SWITCH, "sk": sk, "type": "switch", "body": switch.model_dump_json()})

    def remove(self, scope: Scope, subject: str) -> bool:
        """See `SwitchStore`."""
        try:
            self._table.delete(keys.SWITCH, _make_sort_key(scope, subject), condition="attribute_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def get_all(self) -> list[Switch]:
        """See `SwitchStore`."""
        return [from_stored(Switch, item["body"]) for item in self._table.iter_items(keys.SWITCH)]

    def save(self, tenant_id: str, health: ToolHealth) -> bool:
        """See `SwitchStore`."""
        stored = health.model_copy(update={"version": health.version + 1})
        item = {
            "pk": keys.collection_pk(tenant_id, "TOOLS"),
            "sk": health.tool,
            "type": "tool_health",
            "version": stored.version,
            "body": stored.model_dump_json(),
            "ttl": int(health.failed_at.timestamp()) + _FORGOTTEN_SECONDS,
        }
        try:
            if health.version == 0:
                self._table.put(item, condition="attribute_not_exists(pk)")
            else:
                names, values = {"#version": "version"}, {":version": health.version}
                self._table.put(item, condition="#version = :version", names=names, values=values)
        except ConditionFailed:
            return False
        return True

    def forget(self, tenant_id: str, tool: str) -> None:
        """See `SwitchStore`."""
        self._table.delete(keys.collection_pk(tenant_id, "TOOLS"), tool)

    def list_failing(self, tenant_id: str) -> list[ToolHealth]:
        """See `SwitchStore`."""
        items = self._table.iter_items(keys.collection_pk(tenant_id, "TOOLS"))
        return [from_stored(ToolHealth, item["body"]) for item in items]


def _make_sort_key(scope: Scope, subject: str) -> str:
    return f"{scope.upper()}#{subject}"
