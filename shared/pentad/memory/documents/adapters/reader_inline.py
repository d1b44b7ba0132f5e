"""Reads documents in the process that asks, without limits: for tests and for trusted text."""

from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.contents import ReadDocument
from pentad.memory.documents.reader.reading import read_document
from pentad.memory.tokens import Counter


class InlineReader:
    """A `DocumentReader`.

    Args:
        count: estimates the tokens of a text.
    """

    def __init__(self, count: Counter = estimate_tokens) -> None:
        self._count = count

    def read(self, data: bytes, *, name: str, media_type: str, deadline: float | None = None) -> ReadDocument:
        """See `DocumentReader`."""
        return read_document(data, name=name, media_type=media_type, count=self._count)
