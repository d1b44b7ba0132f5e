"""Call a tool of a remote MCP server: MCP_SERVER says which server's function this is."""

from pentad.runtime.tool_entrypoint import handler as handler
