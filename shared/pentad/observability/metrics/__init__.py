"""Metrics: their names, units and dimensions, and how they are bounded."""
