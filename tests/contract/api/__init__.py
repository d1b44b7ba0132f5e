"""The HTTP API on the wire, over in-memory services."""
