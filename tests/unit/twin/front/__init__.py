"""Tests of what the front of the twin refuses."""
