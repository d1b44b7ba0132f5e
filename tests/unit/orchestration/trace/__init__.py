"""Tests of `orchestration.trace`."""
