"""How many requests a key, a user and a tenant may make in a minute."""
