"""A Pinecone-compatible vector index on disk, reached with the real pinecone client."""

from twin.vectors.errors import IndexUnusable
from twin.vectors.index import LocalIndex

__all__ = ["IndexUnusable", "LocalIndex"]
