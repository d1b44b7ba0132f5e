"""Tools: one function and role a tool, from its declaration; and the catalog of agents and tools."""
