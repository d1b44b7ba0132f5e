"""Tests of one's own agents, on the local twin: a pytest plugin (docs/test-your-agent.md)."""
