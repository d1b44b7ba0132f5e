"""Functions/models."""
