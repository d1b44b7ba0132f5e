"""Kill switches, and tools that are out of order."""
