"""Tests of `memory.documents.formats`."""
