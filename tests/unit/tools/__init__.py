"""Tests of unit/tools."""
