"""The process that reads a document, and what it does."""
