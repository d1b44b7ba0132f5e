"""What is remembered of a user: facts with evidence, the gate before them, and the profile made of them."""
