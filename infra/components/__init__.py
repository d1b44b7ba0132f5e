"""Infra/components."""
