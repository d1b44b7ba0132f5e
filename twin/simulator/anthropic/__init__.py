"""Anthropic's Messages API, as the simulator speaks it."""
