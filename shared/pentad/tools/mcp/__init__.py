"""The Model Context Protocol: ``mcp.yaml``, and remote servers' tools as tools."""
