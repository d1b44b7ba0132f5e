"""Adapters of the ports of feedback."""
