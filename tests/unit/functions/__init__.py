"""Tests of unit/functions."""
