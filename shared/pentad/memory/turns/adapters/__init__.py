"""Stores of segments: DynamoDB, and memory for tests."""
