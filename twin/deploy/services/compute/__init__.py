"""What runs code: Lambda functions, state machines and HTTP APIs."""
