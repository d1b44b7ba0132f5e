"""Tests of `orchestration.timetravel`."""
