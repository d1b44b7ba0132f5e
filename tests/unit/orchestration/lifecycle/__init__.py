"""Tests of `orchestration.lifecycle`."""
