"""Tests of `domain.secrets`."""
