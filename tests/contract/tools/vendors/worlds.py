"""A shipped tool as it is deployed: through the runner and its function, with settings, a secret and a way out."""

from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.errors import ToolFailed
from pentad.tools.declare.declare import Tool
from pentad.tools.outside.ports import Credential, HttpClient
from tests.unit.tools.worlds import World


class Secrets:
    """Secrets by name, the same for each tenant; the second value of one is what it is rotated to."""

    def __init__(self, values: Mapping[str, str | Sequence[str]]) -> None:
        self._values = {name: [given] if isinstance(given, str) else list(given) for name, given in values.items()}

    def get(self, tenant_id: str, name: str) -> Credential:
        return Credential(self._values[name][0])

    def renew(self, tenant_id: str, name: str, refused: Credential) -> Credential:
        if len(self._values[name]) == 1:
            raise ToolFailed("there is no other one")
        self._values[name].pop(0)
        return self.get(tenant_id, name)

    def get_token(self, tenant_id: str, name: str, http: HttpClient, *, refused: str = "") -> str:
        fields = self.get(tenant_id, name).fields
        return fields["second"] if refused == fields["first"] else fields["first"]


def make_world(
    tool: Tool[Any, Any],
    arguments: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str | Sequence[str]],
    http: HttpClient,
) -> World:
    """Return a world with one call of a tool; its settings are read as ``tools.yaml`` is."""
    assert tool.settings is not None
    checked = tool.settings.model_validate(settings, extra="forbid")
    world = World(tool, settings=checked, secrets=Secrets(secrets), outside=http)
    world.add_call(dict(arguments))
    return world
