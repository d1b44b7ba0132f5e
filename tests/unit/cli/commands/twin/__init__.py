"""Tests of `cli.commands.twin`."""
