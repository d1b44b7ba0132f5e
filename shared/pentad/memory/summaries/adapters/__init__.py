"""Adapters of the summaries' port."""
