"""Adapters of the ports of switches."""
