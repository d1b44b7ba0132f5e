"""The deployment's agents and tools as a server of the Model Context Protocol: ``POST /mcp``."""
