"""Runs: what stands at their edges."""
