"""Adapters of the ports of records."""
