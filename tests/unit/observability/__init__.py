"""Tests of unit/observability."""
