"""Tests of `observability.logs`."""
