"""Tests of `tools.data.sql`."""
