"""Remote servers of the Model Context Protocol, and which of their tools are used: as ``mcp.yaml`` and its lock say."""

from typing import Any, Literal

from pydantic import Field, model_validator

from pentad.domain.ids import ToolName
from pentad.domain.values import FrozenValue

SERVER_PATTERN = r"^[a-z][a-z0-9]{0,14}$"
"""A server's name: the tools of one have it in front of their own names."""
SEPARATOR = "__"
"""Stands between a server's name and its tool's: no other tool's name holds it."""
Auth = Literal["none", "bearer", "header", "oauth"]


class McpAuth(FrozenValue):
    """How a server is told who calls.

    Attributes:
        kind: bearer: the secret's text, or its field ``token``, as ``Authorization: Bearer``; header: the same in a
            header of another name; oauth: an access token that the secret's client credentials are exchanged for.
        secret: the secret's name.
        header: of the kind ``header``.
        token_host: of the kind ``oauth``: where access tokens come from.
    """

    kind: Auth = "none"
    secret: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    header: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")
    token_host: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$")

    @model_validator(mode="after")
    def _check_parts(self) -> "McpAuth":
        if (self.kind == "none") != (self.secret is None):
            raise ValueError("auth: a secret and a kind belong together")
        if (self.kind == "header") != (self.header is not None):
            raise ValueError("auth: 'header' is the header's name, for the kind header alone")
        if (self.kind == "oauth") != (self.token_host is not None):
            raise ValueError("auth: 'token_host' is the host of the secret's token_url, for the kind oauth alone")
        return self


class PinnedTool(FrozenValue):
    """What was reviewed of a remote tool beside what the model sees."""

    remote: str = Field(min_length=1, max_length=128, description="its name at the server")
    digest: str = Field(description="SHA-256 of what the server said of it")
    output_schema: dict[str, Any] | None = None
    headers: dict[str, str] = Field(
        default_factory=dict, description="arguments that a header repeats: their path, with / between, and the header"
    )


class McpServerSpec(FrozenValue):
    """One remote server as its function knows it."""

    name: str = Field(pattern=SERVER_PATTERN)
    url: str = Field(max_length=2000)
    auth: McpAuth = McpAuth()
    revision: str = Field(description="of the protocol, as it was when the tools were locked")
    tools: dict[ToolName, PinnedTool] = Field(default_factory=dict)


def find_server(tool: str) -> str | None:
    """Return the server whose tool a name is; None for a tool of the project's own or of the library."""
    server, found, _ = tool.partition(SEPARATOR)
    return server if found else None
