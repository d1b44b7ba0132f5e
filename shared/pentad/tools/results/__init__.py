"""What a tool returned, as far as a model reads it: the part that is shown, and the whole that is kept."""
