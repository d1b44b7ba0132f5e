"""Tests of `tools.builtin`."""
