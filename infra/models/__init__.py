"""Infra/models."""
