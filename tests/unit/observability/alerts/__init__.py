"""Tests of `observability.alerts`."""
