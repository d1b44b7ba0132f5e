"""Adapters of the ports of graphs."""
