"""Structured output: schemas, checks and repair."""
