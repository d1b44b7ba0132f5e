"""The model gateway."""
