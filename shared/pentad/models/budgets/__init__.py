"""Budgets: limits on cost and tokens, reservations and settlement."""
