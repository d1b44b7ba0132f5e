"""Adapters of the ports of runtime."""
