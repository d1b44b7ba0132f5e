"""Adapters of the ports of providers."""
