"""Tests of `domain.declarations`."""
