"""Tests of `memory.remember`."""
