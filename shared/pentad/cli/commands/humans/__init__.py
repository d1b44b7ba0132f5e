"""Commands for those who decide and review."""
