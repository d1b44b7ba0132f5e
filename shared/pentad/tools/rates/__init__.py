"""How many calls of a tool may run in a time."""
