"""Adapters of the ports of sessions."""
