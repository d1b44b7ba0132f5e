"""Read ``mcp.yaml``: what the project serves to MCP clients, and which remote servers' tools it uses."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import AgentName, ToolName
from pentad.domain.values import FrozenValue

NAME = "mcp.yaml"


class ServeSection(FrozenValue):
    """What MCP clients may call; nothing that is not named here."""

    agents: tuple[AgentName, ...] = Field(default=(), max_length=100, description="agents and workflows")
    tools: tuple[ToolName, ...] = Field(default=(), max_length=40, description="each is a state machine of its own")


class McpFile(FrozenValue):
    """The file as a whole; a project without one serves nothing and uses no server."""

    serve: ServeSection = ServeSection()


def read_mcp_file(root: Path) -> McpFile:
    """Return what a project's ``mcp.yaml`` says.

    Args:
        root: the project's folder.

    Raises:
        ConfigurationError: it is not YAML, or a field is wrong; the message names the field.
    """
    path = root / NAME
    if not path.is_file():
        return McpFile()
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        said = f"{NAME} is not YAML: {' '.join(str(error).split())}"
        raise ConfigurationError(said, fix="correct the line that is named") from error
    try:
        return McpFile.model_validate({} if content is None else content)
    except ValidationError as error:
        faults = "; ".join(map(_describe_fault, error.errors()[:10]))
        raise ConfigurationError(f"{NAME}: {faults}", fix="correct the file") from error


def _describe_fault(fault: ErrorDetails) -> str:
    place = ".".join(map(str, fault["loc"])) or "the file"
    if fault["type"] != "extra_forbidden":
        return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
    known = [*McpFile.model_fields, *ServeSection.model_fields]
    meant = get_close_matches(str(fault["loc"][-1]), known, n=1)
    return f"{place}: there is no such field" + (f": do you mean '{meant[0]}'?" if meant else "")
