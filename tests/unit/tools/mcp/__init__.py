"""Tests of `tools.mcp`."""
