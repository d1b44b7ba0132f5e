"""Functions/observability."""
