"""Tests of `orchestration.confidence`."""
