"""Tests of `twin.pumps.logs`."""
