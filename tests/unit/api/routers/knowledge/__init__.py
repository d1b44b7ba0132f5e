"""Tests of routes on how good answers are."""
