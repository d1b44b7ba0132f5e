"""The response cache: exact repeats are answered without a model."""
