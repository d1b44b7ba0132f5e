"""Which alerts were sent."""
