"""A Pinecone-compatible vector index on disk, reached with the real pinecone client."""

from twin.vectors.errors import IndexUnusable
from twin.vectors.index import LocalIndex
from twin.vectors.schema import Schema

__all__ = ["IndexUnusable", "LocalIndex", "Schema"]
