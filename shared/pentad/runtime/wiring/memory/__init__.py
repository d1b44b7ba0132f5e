"""Wiring of functions of memory."""
