"""Tests of `api.views`."""
