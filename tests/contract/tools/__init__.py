"""Tests of contract/tools."""
