"""Adapters of the ports of documents."""
