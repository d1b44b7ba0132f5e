"""Commands on how good answers are."""
