"""Infra/orchestration."""
