"""Commands for cost and budgets."""
