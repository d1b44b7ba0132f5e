"""Read ``agents/`` and the tools' declarations into the catalog that the functions load."""

from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.orchestration.machines.reply import check_pattern
from infra.tools.data import list_data
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import AnyTool


def read_agent(folder: Path) -> AgentSpec:
    """Return the agent of one folder.

    Args:
        folder: ``agents/<name>`` with ``agent.yaml`` and ``prompt.md``.

    Raises:
        ConfigurationError: a file is missing or a field is wrong; the message names both.
    """
    settings, prompt = (Path("agents", folder.name, name) for name in ("agent.yaml", "prompt.md"))
    for path in (settings, prompt):
        if not (folder / path.name).is_file():
            raise ConfigurationError(f"{path} is missing", fix="write it: an agent has agent.yaml and prompt.md")
    try:
        content = yaml.safe_load((folder / settings.name).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        said = f"{settings} is not YAML: {' '.join(str(error).split())}"
        raise ConfigurationError(said, fix="correct the line that is named") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{settings} has no fields", fix="write at least 'description: ...'")
    for taken in ("name", "prompt"):
        if taken in content:
            raise ConfigurationError(
                f"{settings}: '{taken}' is not a field of an agent",
                field=taken,
                fix="remove it: the folder's name is the agent's, and prompt.md is the prompt",
            )
    try:
        words = (folder / prompt.name).read_text(encoding="utf-8").strip()
        spec = AgentSpec.model_validate({**content, "name": folder.name, "prompt": words})
    except ValidationError as error:
        faults = "; ".join(map(_describe_fault, error.errors()))
        raise ConfigurationError(f"{settings}: {faults}", fix="correct the file") from error
    check_pattern(spec, settings)
    return spec


def _describe_fault(fault: ErrorDetails) -> str:
    """Return what is wrong with a field, in the words of whoever writes the file."""
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] != "extra_forbidden":
        return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
    meant = get_close_matches(str(fault["loc"][0]), AgentSpec.model_fields, n=1) if len(fault["loc"]) == 1 else []
    return f"{place}: there is no field '{fault['loc'][-1]}'" + (f": do you mean '{meant[0]}'?" if meant else "")


def build_catalog(agents: Path, tools: dict[str, AnyTool]) -> Catalog:
    """Return all agents below a folder with all tools, checked against each other.

    Raises:
        ConfigurationError: there is no agent, or one is wrong.
    """
    folders = sorted(path for path in agents.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    specs = {folder.name: read_agent(folder) for folder in folders}
    if not specs:
        raise ConfigurationError(
            f"there is no agent in '{agents}'", fix="make a folder there, with agent.yaml and prompt.md"
        )
    catalog = Catalog(
        agents=specs,
        tools={name: tool.spec for name, tool in sorted(tools.items())},
        tool_data={name: tuple(list_data(tool)) for name, tool in sorted(tools.items()) if list_data(tool)},
    )
    for spec in specs.values():
        catalog.tools_of(spec)
    return catalog
