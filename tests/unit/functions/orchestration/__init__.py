"""Tests of `functions.orchestration`."""
