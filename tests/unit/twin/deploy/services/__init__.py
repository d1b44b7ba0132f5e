"""Tests of what the deployer of the twin refuses."""
