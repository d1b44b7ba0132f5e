"""Tests/contract."""
