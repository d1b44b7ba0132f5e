"""Tests/infra."""
