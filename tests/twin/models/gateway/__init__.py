"""The gateway on a twin of its own: breaker, drill, killed processes."""
