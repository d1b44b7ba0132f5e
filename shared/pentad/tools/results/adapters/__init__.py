"""Stores of whole results: S3, and memory for tests."""
