"""How functions are wired: settings, bootstrap, entrypoints."""
