"""Outage drills: providers that are treated as failing on purpose."""
