"""Commands for the local twin."""
