"""Tests of unit/testing/tools."""
