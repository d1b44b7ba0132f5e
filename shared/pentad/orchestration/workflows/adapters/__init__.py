"""Adapters of the ports of workflows."""
