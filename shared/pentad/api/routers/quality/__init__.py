"""Routes on how good answers are."""
