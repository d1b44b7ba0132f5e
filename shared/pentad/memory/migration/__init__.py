"""Vectors are moved from one store to another."""
