"""Vendors of systems of record."""
