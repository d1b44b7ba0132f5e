"""Tests/architecture."""
