"""The running twin: what composes its parts, starts, updates and stops them."""
