"""Adapters of the ports of corrections."""
