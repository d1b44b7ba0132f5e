"""Tests of `cli.commands.runs`."""
