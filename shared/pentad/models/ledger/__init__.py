"""The ledger: every attempt at a provider with its usage and cost."""
