"""A running twin, brought to another assembly in place."""
