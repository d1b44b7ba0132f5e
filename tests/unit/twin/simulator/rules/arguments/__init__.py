"""Tests of `twin.simulator.rules.arguments`."""
