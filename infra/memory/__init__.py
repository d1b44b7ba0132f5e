"""Memory: recall, and the ingest of documents from bucket to index."""
