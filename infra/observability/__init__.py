"""Infra/observability."""
