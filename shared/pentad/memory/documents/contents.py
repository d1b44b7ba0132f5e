"""What reading a document yields. No parser is loaded with it: documents are read in a process of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from pentad.domain.errors import InvalidInput
from pentad.domain.knowledge import Document
from pentad.memory.documents.chunk import Chunk

RECIPE = "15"
"""How documents are cut and prepared for the index. After a change of it, a document's next event indexes it anew."""
EXIT_TOO_LARGE = 3
"""The exit code of a reader's process whose answer was too large."""


@dataclass(frozen=True)
class ReadDocument:
    """What a document holds: the type it was read as, doubts about how, and its chunks in order."""

    media_type: str
    notes: Sequence[str]
    chunks: Sequence[Chunk]
    parser: str = ""
    language: str | None = None


def check_text(found: ReadDocument, entry: Document | None) -> None:
    """Refuse a version without text where an earlier one has some: an export that failed, a page that scripts fill.

    Raises:
        InvalidInput: it is one.
    """
    if not found.chunks and entry is not None and entry.status in ("indexed", "stale") and entry.chunks:
        raise InvalidInput(
            "this version has no text, and the one before has",
            field="document",
            fix="delete the document if its text is to go, or upload a version with text",
        )
