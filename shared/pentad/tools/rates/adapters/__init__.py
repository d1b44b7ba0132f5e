"""Adapters of the ports of rates."""
