"""Tests/twin."""
