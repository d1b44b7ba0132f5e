"""Adapters of the ports of reviews."""
