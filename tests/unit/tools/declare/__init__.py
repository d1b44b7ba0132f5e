"""Tests of `tools.declare`."""
