"""Runs from their start to their end: queues of sessions, cancelling, switches, ends that AWS makes, second chances."""
