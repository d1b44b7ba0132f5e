"""Infra/workflows."""
