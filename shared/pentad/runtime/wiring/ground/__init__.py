"""What several functions are wired with."""
