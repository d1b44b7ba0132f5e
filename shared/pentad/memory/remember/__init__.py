"""What is made of a conversation after a run: the pipeline, its progress, and whose words are read."""
