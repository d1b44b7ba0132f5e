"""Tests of what tools reach beyond the stack."""
