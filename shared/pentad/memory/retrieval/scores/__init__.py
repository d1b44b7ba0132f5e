"""What the scores of an embedding model say."""
