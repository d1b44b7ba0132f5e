"""Which documents an agent searches, and who may be shown them. Pure.

Both are labels in the metadata of vectors, and conditions of searches.
"""

from collections.abc import Sequence
from typing import Final

from pentad.domain.knowledge import USERS, find_owner

DOCUMENT_KIND: Final = "document"
"""In the metadata field ``kind`` of vectors of documents; other kinds are of other rooms."""
READERS: Final = "readers"
COLLECTION: Final = "collection"
EVERYONE: Final = "*"


def label_document(document: str) -> list[str]:
    """Return the labels of a document: its owner's where it is a user's own by its name, else everyone's."""
    owner = find_owner(document)
    return [EVERYONE] if owner is None else [label_user(owner)]


def list_labels(user_id: str | None) -> tuple[str, ...]:
    """Return the labels that a user's run may read: one of them must be among a document's."""
    return (EVERYONE,) if user_id is None else (EVERYONE, label_user(user_id))


def choose_collections(collections: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the condition that leaves other collections out; users' own documents are in none of an agent's."""
    return {COLLECTION: (*collections, USERS)} if collections else {}


def label_user(user_id: str) -> str:
    """Return the label of what one user alone may read."""
    return f"user:{user_id}"
