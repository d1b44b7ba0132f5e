"""Functions/api."""
