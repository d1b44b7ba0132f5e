"""Tests of `observability.spans`."""
