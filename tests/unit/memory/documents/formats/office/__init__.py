"""Tests of `memory.documents.formats.office`."""
