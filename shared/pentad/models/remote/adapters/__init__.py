"""Adapters of the ports of remote."""
