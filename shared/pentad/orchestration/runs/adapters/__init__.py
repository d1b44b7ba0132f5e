"""Adapters of the ports of runs."""
