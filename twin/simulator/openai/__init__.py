"""OpenAI's Chat Completions, Responses and Embeddings APIs, as the simulator speaks them."""
