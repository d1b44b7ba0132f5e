"""Adapters of the ports of ledger."""
