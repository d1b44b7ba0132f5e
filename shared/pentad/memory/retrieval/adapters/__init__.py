"""Adapters of the ports of retrieval."""
