"""Providers of web search."""
