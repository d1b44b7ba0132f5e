"""Infra/tools."""
