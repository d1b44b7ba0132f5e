"""Who may be shown a document: labels in the metadata of its vectors, and those that a run may read. Pure."""

from typing import Final

from pentad.domain.knowledge import find_owner

DOCUMENT_KIND: Final = "document"
"""In the metadata field ``kind`` of vectors of documents; other kinds are of other rooms."""
READERS: Final = "readers"
EVERYONE: Final = "*"


def label_document(document: str) -> list[str]:
    """Return the labels of a document: its owner's where it is a user's own by its name, else everyone's."""
    owner = find_owner(document)
    return [EVERYONE] if owner is None else [_label_user(owner)]


def list_labels(user_id: str | None) -> tuple[str, ...]:
    """Return the labels that a user's run may read: one of them must be among a document's."""
    return (EVERYONE,) if user_id is None else (EVERYONE, _label_user(user_id))


def _label_user(user_id: str) -> str:
    return f"user:{user_id}"
