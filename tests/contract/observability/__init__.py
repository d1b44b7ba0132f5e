"""Contract tests of observability."""
