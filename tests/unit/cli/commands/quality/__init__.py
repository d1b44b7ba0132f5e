"""Tests of commands on how good answers are."""
