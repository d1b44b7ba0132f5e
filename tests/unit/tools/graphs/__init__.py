"""Tests of `tools.graphs`."""
