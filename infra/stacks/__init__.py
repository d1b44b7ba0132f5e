"""Infra/stacks."""
