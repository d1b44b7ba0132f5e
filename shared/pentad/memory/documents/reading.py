"""Read a document: from bytes to chunks, with nothing but what the document holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.chunk import Chunk, split_document
from pentad.memory.documents.parse import parse
from pentad.memory.tokens import Counter


@dataclass(frozen=True)
class ReadDocument:
    """What a document holds: the type it was read as, notes on how, and its chunks in order."""

    media_type: str
    notes: Sequence[str]
    chunks: Sequence[Chunk]


def read_document(data: bytes, *, name: str, media_type: str, count: Counter = estimate_tokens) -> ReadDocument:
    """Return what a document holds.

    Args:
        data: the document.
        name: its name.
        media_type: the content type it was uploaded with.
        count: estimates the tokens of a text.

    Raises:
        InvalidInput: it can't be read, or holds more than may be indexed.
    """
    parsed = parse(data, name=name, media_type=media_type)
    return ReadDocument(parsed.media_type, parsed.notes, split_document(parsed, document=name, count=count))
