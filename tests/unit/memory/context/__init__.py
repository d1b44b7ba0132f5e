"""Tests of `memory.context`."""
