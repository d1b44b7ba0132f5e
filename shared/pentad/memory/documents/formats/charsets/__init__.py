"""What helps to tell in which charset bytes are."""
