"""Tests of `orchestration.runs`."""
