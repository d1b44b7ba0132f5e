"""Search the web by a provider, and read pages."""
