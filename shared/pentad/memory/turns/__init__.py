"""What was said in conversations: kept in parts, with words and vectors, and found again."""
