"""Tools for SQL databases."""
