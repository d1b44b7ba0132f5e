"""Tests of `domain.display`."""
