"""Infra/api."""
