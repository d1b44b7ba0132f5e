"""Functions/memory."""
