"""The tools, a module each."""
