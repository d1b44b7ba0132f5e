"""Read a document: from bytes to chunks, with nothing but what the document holds."""

from collections.abc import Sequence

from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.chunk import split_document
from pentad.memory.documents.contents import ReadDocument
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedDocument
from pentad.memory.tokens import Counter

MAX_NOTES = 20
NOTE_CHARACTERS = 300
_SAMPLE_CHARACTERS = 20_000
_LEAST_CHARACTERS = 200
_LANGUAGES = {
    "English": "en", "German": "de", "French": "fr", "Dutch": "nl", "Italian": "it", "Polish": "pl", "Spanish": "es",
    "Russian": "ru", "Japanese": "ja", "Portuguese": "pt", "Swedish": "sv", "Chinese": "zh", "Ukrainian": "uk",
    "Norwegian": "no", "Finnish": "fi", "Vietnamese": "vi", "Czech": "cs", "Hungarian": "hu", "Korean": "ko",
    "Indonesian": "id", "Turkish": "tr", "Romanian": "ro", "Farsi": "fa", "Arabic": "ar", "Danish": "da",
    "Serbian": "sr", "Lithuanian": "lt", "Slovene": "sl", "Slovak": "sk", "Hebrew": "he", "Bulgarian": "bg",
    "Croatian": "hr", "Hindi": "hi", "Estonian": "et", "Thai": "th", "Greek": "el", "Tamil": "ta", "Kazakh": "kk",
}  # fmt: skip
"""Codes of ISO 639-1 of the names that charset-normalizer has for languages."""


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
    return ReadDocument(parsed.media_type, limit_notes(parsed.notes), chunks, parsed.parser, find_language(parsed))


def limit_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes as an entry keeps them: each once, at most 20 of at most 300 characters."""
    return tuple(note[:NOTE_CHARACTERS] for note in list(dict.fromkeys(notes))[:MAX_NOTES])


def find_language(parsed: ParsedDocument) -> str | None:
    """Return the language that a document declares, else the one that its letters suggest, such as ``en``."""
    if parsed.language:
        return parsed.language
    sample = parsed.text[:_SAMPLE_CHARACTERS]
    if len(sample) < _LEAST_CHARACTERS:
        return None
    from charset_normalizer.cd import coherence_ratio  # loaded where a document is read, and nowhere else

    found = coherence_ratio(sample, threshold=0.2)
    return _LANGUAGES.get(found[0][0]) if found else None
