"""Stores of progress: DynamoDB, and memory for tests."""
