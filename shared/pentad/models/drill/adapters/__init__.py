"""Adapters of the ports of drill."""
