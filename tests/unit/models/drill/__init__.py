"""Tests of `models.drill`."""
