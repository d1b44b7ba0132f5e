"""Stores of objects: S3, and memory for tests."""
