"""Workflows on the twin: their definitions in its interpreter, and whole ones on a running stack."""
