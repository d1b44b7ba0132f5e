"""How sure a turn is, from which sources, and in which band that is."""
