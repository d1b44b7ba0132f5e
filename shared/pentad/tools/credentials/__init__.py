"""Credentials of tools: read by name when a call asks, kept for minutes, renewed, rotated, and shown nowhere."""
