"""Recall and ingest."""
