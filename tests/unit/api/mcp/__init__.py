"""Tests of `api.mcp`."""
