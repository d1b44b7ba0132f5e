"""Adapters of the ports of metrics."""
