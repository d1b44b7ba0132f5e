"""Tests of `memory.documents`."""
