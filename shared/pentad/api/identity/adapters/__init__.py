"""Adapters of the ports of identity."""
