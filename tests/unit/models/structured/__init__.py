"""Tests of `models.structured`."""
