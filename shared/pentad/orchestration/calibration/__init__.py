"""How often turns at each confidence were right, and what follows for the thresholds. Pure."""
