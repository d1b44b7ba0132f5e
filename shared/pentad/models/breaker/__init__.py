"""Circuit breakers by provider and model."""
