"""Tests/unit."""
