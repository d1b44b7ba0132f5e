"""What people say of answers: scores, corrections and comments."""
