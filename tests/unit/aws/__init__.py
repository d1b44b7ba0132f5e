"""What every adapter of AWS shares."""
