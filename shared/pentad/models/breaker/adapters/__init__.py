"""Adapters of the ports of breaker."""
