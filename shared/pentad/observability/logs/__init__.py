"""Logs: what may stand in them."""
