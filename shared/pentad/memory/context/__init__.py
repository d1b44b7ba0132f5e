"""What a model is sent: the part of the conversation and the passages that fit."""
