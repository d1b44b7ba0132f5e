"""Functions of observability: none yet."""
