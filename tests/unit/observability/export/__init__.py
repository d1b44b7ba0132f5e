"""Tests of `observability.export`."""
