"""A twin for tests, in a process of its own: who starts it, and what the operator sees in it."""
