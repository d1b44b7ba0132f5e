"""Parsers: from the bytes of each type to text and structure."""
