"""What people and models said in runs, in a log of its own."""
