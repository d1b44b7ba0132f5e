"""Tests of `tools.data`."""
