"""Contract tests of the models layer."""
