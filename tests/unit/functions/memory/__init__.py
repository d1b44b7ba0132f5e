"""Tests of `functions.memory`."""
