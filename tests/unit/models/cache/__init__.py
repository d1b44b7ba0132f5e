"""Tests of `models.cache`."""
