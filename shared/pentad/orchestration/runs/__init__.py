"""Stored runs with their steps and tool calls, and the engine that executes them."""
