"""Orchestration: the agents' state machines and the functions around them."""
