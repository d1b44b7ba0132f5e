"""Read ``agents/`` and the tools' declarations into the catalog that the functions load."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.orchestration.machines.reply import check_pattern
from infra.tools.data import list_data
from infra.tools.tools_file import ToolsFile
from pentad.domain.declarations.agents import AgentSpec, Catalog, ToolSpec
from pentad.domain.errors import ConfigurationError
from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.domain.reading.yaml_file import YamlFile
from pentad.memory.retrieval.knowledge import SPEC
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
            raise ConfigurationError(f"'{path}' is missing", fix="write it: an agent has agent.yaml and prompt.md")
    file = YamlFile(str(settings), (folder / settings.name).read_bytes())
    content = file.data
    if not isinstance(content, dict):
        raise ConfigurationError(f"{settings} has no fields", fix="write at least 'description: ...'")
    for taken in ("name", "prompt"):
        if taken in content:
            raise ConfigurationError(
                f"{settings}: '{taken}' is not a field of an agent",
                field=taken,
                fix="remove it: the folder's name is the agent's, and prompt.md is the prompt",
            )
    words = _read_prompt(folder / prompt.name, prompt)
    try:
        spec = AgentSpec.model_validate({**content, "name": folder.name, "prompt": words})
    except ValidationError as error:
        faults = "; ".join(map(_describe_fault, error.errors()))
        raise ConfigurationError(f"{settings}: {faults}", fix="correct the file") from error
    check_pattern(spec, settings)
    return spec


def _read_prompt(path: Path, name: Path) -> str:
    """Return a prompt; the mark that some editors put at a file's beginning is no part of it.

    Raises:
        ConfigurationError: it is empty or not UTF-8.
    """
    content = path.read_bytes()
    try:
        words = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{name} is not UTF-8, line {line}", field="prompt", fix="save it as UTF-8") from error
    if not words:
        raise ConfigurationError(f"{name} is empty", field="prompt", fix="write what the agent is told to do")
    return words


def _describe_fault(fault: ErrorDetails) -> str:
    """Return what is wrong with a field, in the words of whoever writes the file."""
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] != "extra_forbidden":
        return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
    meant = get_close_matches(str(fault["loc"][0]), AgentSpec.model_fields, n=1) if len(fault["loc"]) == 1 else []
    return f"{place}: no field '{fault['loc'][-1]}'" + (f": do you mean '{meant[0]}'?" if meant else "")


def build_catalog(agents: Path, tools: dict[str, AnyTool], configured: ToolsFile | None = None) -> Catalog:
    """Return all agents below a folder with all tools, checked against each other.

    Args:
        agents: the folder.
        tools: by name.
        configured: what ``tools.yaml`` says of them; nothing where None.

    Raises:
        ConfigurationError: there is no agent, or one is wrong.
    """
    folders = sorted(path for path in agents.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    specs = {folder.name: read_agent(folder) for folder in folders}
    if not specs:
        raise ConfigurationError(f"no agent in '{agents}'", fix="make a folder there, with agent.yaml and prompt.md")
    builtin = _find_builtin(specs, tools)
    reached = {name: tuple(list_data(tool, configured or ToolsFile())) for name, tool in sorted(tools.items())}
    catalog = Catalog(
        agents=specs,
        tools=dict(sorted({**{name: tool.spec for name, tool in tools.items()}, **builtin}.items())),
        tool_data={name: data for name, data in reached.items() if data},
    )
    for spec in specs.values():
        catalog.tools_of(spec)
    return catalog


def _find_builtin(agents: Mapping[str, AgentSpec], tools: Mapping[str, AnyTool]) -> dict[str, ToolSpec]:
    """Return the built-in tools that agents name, and that a function of the stack answers.

    Raises:
        ConfigurationError: a tool of the project has the name of one.
    """
    if SEARCH_KNOWLEDGE in tools:
        raise ConfigurationError(
            f"functions/tools/{SEARCH_KNOWLEDGE}.py has the name of a built-in tool", fix="rename the tool"
        )
    return {SEARCH_KNOWLEDGE: SPEC} if any(SEARCH_KNOWLEDGE in one.tools for one in agents.values()) else {}
