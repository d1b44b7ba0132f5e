"""Tests/e2e."""
