"""What the built-in tools compute, and the tools that a human runs."""
