"""The store of objects: documents, and content too large for an item."""
