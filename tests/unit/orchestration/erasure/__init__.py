"""Tests of `orchestration.reviews`."""
