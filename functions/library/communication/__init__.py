"""Tools for mail and messages."""
