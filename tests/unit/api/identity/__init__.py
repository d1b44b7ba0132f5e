"""Tests of `api.identity`."""
