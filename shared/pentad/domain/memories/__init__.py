"""What is remembered of users and conversations, as values."""
