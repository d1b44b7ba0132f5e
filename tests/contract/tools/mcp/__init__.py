"""Remote MCP servers, over HTTP."""
