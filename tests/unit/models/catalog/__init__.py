"""Tests of `models.catalog`."""
