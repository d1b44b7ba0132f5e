"""What sends spans away."""
