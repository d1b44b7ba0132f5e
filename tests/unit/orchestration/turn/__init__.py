"""Tests of `orchestration.turn`."""
