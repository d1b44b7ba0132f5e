"""Tests of `twin.simulator.rules`."""
