"""Functions/tools."""
