"""Tests of `domain.tracing`."""
