"""Infra/memory."""
