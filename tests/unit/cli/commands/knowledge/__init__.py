"""Tests of `cli.commands.knowledge`."""
