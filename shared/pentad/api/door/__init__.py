"""The OpenAI-compatible door to the model gateway: chat completions, embeddings, models."""
