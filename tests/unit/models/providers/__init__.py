"""Tests of `models.providers`."""
