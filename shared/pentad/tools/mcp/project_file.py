"""Read ``mcp.yaml``: what the project serves to MCP clients, and which remote servers' tools it uses."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from pentad.domain.declarations.asking import Approvers
from pentad.domain.declarations.rates import parse_rates
from pentad.domain.declarations.remote_tools import SERVER_PATTERN, McpAuth
from pentad.domain.errors import ConfigurationError, ToolFailed
from pentad.domain.ids import AgentName, ToolName
from pentad.domain.reading.yaml_file import YamlFile
from pentad.domain.values import FrozenValue
from pentad.tools.egress.urls import parse_url
from pentad.tools.mcp.approval_yaml import Approval

NAME = "mcp.yaml"
_ADDRESS = "write an address such as https://mcp.example.com/mcp, without a user in it"
Effects = Literal["none", "internal", "external"]


def _check_rate(given: Any) -> Any:
    """Return a rate limit that is one.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, str):
        parse_rates(given)
    return given


RateLimit = Annotated[str | None, BeforeValidator(_check_rate)]


class ServeSection(FrozenValue):
    """What MCP clients may call; nothing that is not named here."""

    agents: tuple[AgentName, ...] = Field(default=(), max_length=100, description="agents and workflows")
    tools: dict[ToolName, Approvers] = Field(
        default_factory=dict,
        max_length=40,
        description="each is a state machine of its own, with who approves its calls; a list says nothing of that",
    )

    @field_validator("tools", mode="before")
    @classmethod
    def _read_tools(cls, given: Any) -> Any:
        """Return a list of names as names of which nothing is said.

        Raises:
            ValueError: a list names one twice, or says more than names.
        """
        if isinstance(given, dict):
            return {name: {} if said is None else said for name, said in given.items()}
        if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
            twice = next((name for name in given if given.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"it names '{twice}' twice; name each once")
            return {name: {} for name in given}
        raise ValueError("write a list of names, or 'NAME: {group: finance, quorum: 2}' without a dash")


class RemoteToolEntry(FrozenValue):
    """What the project says of one remote tool; what it leaves out is the server's default."""

    effects: Effects | None = None
    approval: Approval = None
    rate_limit: RateLimit = None
    idempotent: bool = False
    safe_output: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(default=(), max_length=100)


class ServerEntry(FrozenValue):
    """One remote server."""

    url: str = Field(max_length=2000, description="https; http for an address of a private network with its port")
    auth: McpAuth = McpAuth()
    effects: Effects = Field(default="external", description="of its tools: what nobody has looked at may do anything")
    approval: Approval = Field(default="always", description="of its tools, unless one says otherwise; a word or rules")
    rate_limit: RateLimit = Field(default=None, description="of each of its tools, as of any tool")
    timeout_seconds: int = Field(default=30, ge=1, le=600)
    tools: dict[str, RemoteToolEntry] = Field(
        default_factory=dict, max_length=100, description="by their names at the server; no others are used"
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        try:
            parse_url(url)
        except ToolFailed as error:
            raise ValueError(f"{_ADDRESS}: {error.message}") from error
        if not url.startswith(("https://", "http://")) or "#" in url:
            raise ValueError(f"{_ADDRESS}, with https in small letters and nothing after a #")
        if url.startswith("http://") and urlsplit(url).port is None:
            raise ValueError("use https; http is for an address of your own network, with its port")
        return url

    @field_validator("tools", mode="before")
    @classmethod
    def _read_tools(cls, given: Any) -> Any:
        if isinstance(given, list):
            if not all(isinstance(name, str) for name in given):
                raise ValueError("a list holds names; to say more of a tool, write 'NAME: {effects: none}', no dash")
            return {name: {} for name in given}
        return {name: {} if one is None else one for name, one in given.items()} if isinstance(given, dict) else given


class McpFile(FrozenValue):
    """The file as a whole; a project without one serves nothing and uses no server."""

    serve: ServeSection = ServeSection()
    servers: dict[Annotated[str, StringConstraints(pattern=SERVER_PATTERN)], ServerEntry] = Field(
        default_factory=dict, max_length=50
    )


def read_mcp_file(root: Path) -> McpFile:
    """Return what a project's ``mcp.yaml`` says.

    Args:
        root: the project's folder.

    Raises:
        ConfigurationError: it is not YAML in UTF-8, or a field is wrong; the message names the field.
    """
    path = root / NAME
    if not path.is_file():
        return McpFile()
    content = YamlFile(NAME, path.read_bytes()).data
    try:
        return McpFile.model_validate({} if content is None else content)
    except ValidationError as error:
        faults = "; ".join(map(_describe_fault, error.errors()[:10]))
        raise ConfigurationError(f"{NAME}: {faults}", fix="correct the file") from error


def _describe_fault(fault: ErrorDetails) -> str:
    place = ".".join(map(str, fault["loc"])) or "the file"
    if fault["type"] != "extra_forbidden":
        return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
    models = (McpFile, ServeSection, Approvers, ServerEntry, RemoteToolEntry, McpAuth)
    known = [name for model in models for name in model.model_fields]
    meant = get_close_matches(str(fault["loc"][-1]), known, n=1)
    return f"{place}: no such field" + (f": do you mean '{meant[0]}'?" if meant else "")
