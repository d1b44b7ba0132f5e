"""Tests of `cli.commands.humans`."""
