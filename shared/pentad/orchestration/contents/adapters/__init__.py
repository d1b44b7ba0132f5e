"""Adapters of the log of contents."""
