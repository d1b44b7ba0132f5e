"""Unit tests of the models layer."""
