"""Spans: their ids and how they hang together."""
