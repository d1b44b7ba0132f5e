"""Deployments of the whole stack in place, and agents that reply in one turn."""
