"""Tests of `observability.metrics`."""
