"""Tests of `tools.openapi`."""
