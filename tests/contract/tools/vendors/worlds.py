"""A shipped tool as it is deployed: through the runner and its function, with settings, a secret and a way out."""

from collections.abc import Mapping
from typing import Any

from pentad.tools.declare.declare import Tool
from pentad.tools.outside.ports import Credential, HttpClient
from tests.unit.tools.worlds import World


class Secrets:
    """Secrets by name, the same for each tenant."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, tenant_id: str, name: str) -> Credential:
        return Credential(self._values[name])


def make_world(
    tool: Tool[Any, Any],
    arguments: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    http: HttpClient,
) -> World:
    """Return a world with one call of a tool; its settings are read as ``tools.yaml`` is."""
    assert tool.settings is not None
    checked = tool.settings.model_validate(settings, extra="forbid")
    world = World(tool, settings=checked, secrets=Secrets(secrets), outside=http)
    world.add_call(dict(arguments))
    return world
