"""Retrieval: vectors, passages and citations."""
