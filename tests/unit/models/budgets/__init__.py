"""Tests of `models.budgets`."""
