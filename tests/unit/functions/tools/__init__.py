"""Tests of unit/functions/tools."""
