"""Where acts are kept."""
