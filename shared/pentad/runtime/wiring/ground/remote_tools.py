"""The tools of a remote MCP server, in the server's own function."""

from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.errors import ConfigurationError
from pentad.runtime.catalog import load_catalog
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.mcp.remote_tool import Connections, make_remote_tool

_CONNECTIONS: Connections = {}
"""What this process knows of its server from earlier calls."""


def load_remote_tool(server: str, name: str | None) -> AnyTool:
    """Return a tool of a remote server.

    Args:
        server: whose function this is.
        name: the tool's local name.

    Raises:
        ConfigurationError: it is not one of this server's.
    """
    catalog = load_catalog()
    found = catalog.mcp_servers.get(server)
    if name is None or find_server(name) != server or found is None or name not in found.tools:
        raise ConfigurationError(f"the MCP server '{server}' has no such tool here", field="tool", fix="deploy again")
    return make_remote_tool(found, catalog.tools[name], _CONNECTIONS)
