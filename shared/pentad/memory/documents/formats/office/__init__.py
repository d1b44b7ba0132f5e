"""PDF and the formats of Office, read by libraries within limits."""
