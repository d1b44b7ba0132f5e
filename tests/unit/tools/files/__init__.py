"""Tests of `tools.files`."""
