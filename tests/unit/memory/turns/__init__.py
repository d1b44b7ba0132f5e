"""Tests of `memory.turns`."""
