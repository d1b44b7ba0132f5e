"""Memory and state: sessions, context, documents, retrieval."""
