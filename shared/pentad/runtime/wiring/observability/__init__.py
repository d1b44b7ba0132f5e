"""The wiring of observability's own functions."""
