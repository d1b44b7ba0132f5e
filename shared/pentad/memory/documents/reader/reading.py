"""Read a document: from bytes to chunks, with nothing but what the document holds."""

from collections.abc import Sequence

from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.chunk import split_document
from pentad.memory.documents.contents import ReadDocument
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.language import find_language
from pentad.memory.documents.structure import clean
from pentad.memory.tokens import Counter

MAX_NOTES = 20
NOTE_CHARACTERS = 300


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
    chunks = split_document(parsed, document=name, count=count)
    notes = parsed.notes if chunks else (*parsed.notes, "no text was found in it")
    language = parsed.language or find_language(parsed.text)
    return ReadDocument(parsed.media_type, limit_notes(notes), chunks, parsed.parser, language)


def limit_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes as an entry keeps them: each once, at most 20 of at most 300 characters."""
    return tuple(clean(note)[:NOTE_CHARACTERS] for note in list(dict.fromkeys(notes))[:MAX_NOTES])
