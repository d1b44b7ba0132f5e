"""Credentials of tools: how they are rotated."""
