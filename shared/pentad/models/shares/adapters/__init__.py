"""Adapters of the ports of shares."""
