"""Tests of `twin.machine.jsonata`."""
