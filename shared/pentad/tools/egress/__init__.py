"""What tools reach by HTTP: one client for all of them, an allowlist each, and no address that is not checked."""
