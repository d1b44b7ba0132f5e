"""Observability: alarms."""
