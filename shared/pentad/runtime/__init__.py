"""How functions are wired: settings, entrypoints, and one wiring module a function."""
