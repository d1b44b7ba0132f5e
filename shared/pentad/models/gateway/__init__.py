"""The gateway: one chat model over candidates, retries, fallback, budgets, cache and cascade."""
