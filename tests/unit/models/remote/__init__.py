"""Tests of `models.remote`."""
