"""What is deployed, out of the synthesized assembly: the catalog, and the state machine of an agent.

A replay calls no function, so what only AWS knows (ARNs, account, region) is replaced by the name of what stands for
it.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pentad.domain.declarations.agents import Catalog
from twin.deploy.assembly import AssemblyError, Stack, read_assembly

Json = dict[str, Any]
_MACHINE = "AWS::StepFunctions::StateMachine"
_LAYER = "AWS::Lambda::LayerVersion"
_MACHINE_NAME = re.compile(r".+?-(?:agent|reply)-(?P<agent>.+)")
"""A deployment's prefix, and what `pentad.domain.declarations.agents.name_machine` returns."""
_CATALOG = Path("python", "pentad_catalog", "catalog.json")


class Deployable:
    """An assembly as a replay sees it.

    Args:
        folder: the assembly, such as cdk.out.
    """

    def __init__(self, folder: Path) -> None:
        self._stacks = read_assembly(folder).stacks

    def load_catalog(self) -> Catalog:
        """Return the catalog that the functions load.

        Raises:
            AssemblyError: the assembly has none.
        """
        for stack in self._stacks:
            for key in _list_layer_keys(stack):
                asset = stack.find_asset(key)
                path = asset.path / _CATALOG if asset is not None else None
                if path is not None and path.is_file():
                    return Catalog.model_validate_json(path.read_text(encoding="utf-8"))
        raise AssemblyError("the assembly has no catalog of agents")

    def load_definition(self, agent: str) -> Json:
        """Return the definition of an agent's state machine.

        Raises:
            AssemblyError: the agent has none.
        """
        for stack in self._stacks:
            for resource in stack.template.get("Resources", {}).values():
                properties = resource.get("Properties", {})
                if resource["Type"] == _MACHINE and read_agent(_to_text(properties["StateMachineName"])) == agent:
                    definition: Json = json.loads(_to_text(properties["DefinitionString"]))
                    return definition
        raise AssemblyError(f"the assembly has no state machine for the agent '{agent}'")


def read_agent(machine: str) -> str | None:
    """Return the agent or workflow whose state machine has a name; None where it is nobody's."""
    found = _MACHINE_NAME.fullmatch(machine)
    return None if found is None else found["agent"]


def _list_layer_keys(stack: Stack) -> list[str]:
    resources = stack.template.get("Resources", {}).values()
    layers = (resource["Properties"]["Content"] for resource in resources if resource["Type"] == _LAYER)
    return [_to_text(content["S3Key"]) for content in layers]


def _to_text(value: Any) -> str:
    """Return a template's value as text, with a name in place of each intrinsic function but Join."""
    if not isinstance(value, Mapping):
        return str(value)
    [(function, given)] = value.items()
    if function == "Fn::Join":
        separator, parts = given
        return str(separator).join(_to_text(part) for part in parts)
    return ".".join(given) if isinstance(given, list) and all(isinstance(one, str) for one in given) else str(given)
