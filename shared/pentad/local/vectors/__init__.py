"""A Pinecone-compatible vector index on disk, reached with the real pinecone client."""

from pentad.local.vectors.errors import IndexUnusable
from pentad.local.vectors.index import LocalIndex

__all__ = ["IndexUnusable", "LocalIndex"]
