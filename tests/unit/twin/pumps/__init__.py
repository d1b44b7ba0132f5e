"""Tests of `twin.pumps`."""
