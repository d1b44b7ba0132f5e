"""The wiring of the tool runner, and of the functions that it calls."""
