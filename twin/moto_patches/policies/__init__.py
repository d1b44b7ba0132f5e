"""What moto takes of policies and AWS does not."""
