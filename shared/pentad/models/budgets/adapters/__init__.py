"""Adapters of the ports of budgets."""
