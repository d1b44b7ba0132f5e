"""Tests of `cli.commands.operations`."""
