"""Adapters of logs."""
