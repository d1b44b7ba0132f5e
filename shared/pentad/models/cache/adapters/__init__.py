"""Adapters of the ports of cache."""
