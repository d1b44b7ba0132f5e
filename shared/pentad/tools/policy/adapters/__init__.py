"""Adapters of the ports of the policy."""
