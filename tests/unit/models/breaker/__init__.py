"""Tests of `models.breaker`."""
