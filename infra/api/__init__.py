"""The HTTP API and its functions."""
