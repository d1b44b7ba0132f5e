"""Tests of `tools.runtime`."""
