"""Tests of `orchestration.approvals`."""
