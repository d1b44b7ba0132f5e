"""Adapters of the ports of approvals."""
