"""Tests of `models.gateway`."""
