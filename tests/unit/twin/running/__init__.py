"""The twin's options and what they fill."""
