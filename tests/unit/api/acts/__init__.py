"""Acts: who did what."""
