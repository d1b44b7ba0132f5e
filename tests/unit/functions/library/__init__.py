"""Tests of unit/functions.library."""
