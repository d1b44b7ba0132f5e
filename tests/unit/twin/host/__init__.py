"""Tests of the local twin."""
