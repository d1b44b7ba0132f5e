"""Cut a parsed document into chunks, along its structure.

A chunk is a piece of the parsed text, ``text[start:end]``, within one section, of 400 tokens at most where words allow.
Every character that is not space is in a chunk. Paragraphs longer than a chunk are cut between sentences and overlap a
little; rows and code are cut between lines.
"""

import hashlib
import re
import unicodedata
from collections import Counter as Occurrences
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pentad.domain.errors import InvalidInput
from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.structure import Kind, ParsedBlock, ParsedDocument
from pentad.memory.tokens import Counter

MAX_CHUNK_TOKENS = 400
OVERLAP_TOKENS = 50
MAX_CHUNKS = 10_000
TITLE_CHARACTERS = 300

# After the end of a sentence: a mark, closing quotes or brackets, then space; Chinese and Japanese marks need no space.
_SENTENCE = re.compile(r"(?:[.!?\u2026][\"'\u201d\u2019)\]]*\s+|[\u3002\uff01\uff1f][\u300d\u300f\uff09]?\s*|\n)")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True)
class Chunk:
    """A chunk, with what its vector needs. The id stays the same as long as its section and words do."""

    chunk_id: str
    title: str
    text: str
    start: int
    end: int
    sha256: str


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: Kind
    path: tuple[str, ...]
    tokens: int


def split_document(parsed: ParsedDocument, *, document: str, count: Counter = estimate_tokens) -> list[Chunk]:
    """Return the document's chunks in order.

    Args:
        parsed: the document.
        document: its name; part of the chunks' ids, and their title where there are no headings.
        count: estimates the tokens of a text.

    Raises:
        InvalidInput: more than 10,000 chunks.
    """
    spans = (piece for span in _iter_spans(parsed, count) for piece in _split_span(parsed.text, span, count))
    chunks: list[Chunk] = []
    seen: Occurrences[str] = Occurrences()
    for start, end, path in _merge_spans(spans):
        words = parsed.text[start:end]
        start, end = start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())
        if start >= end:
            continue
        if len(chunks) == MAX_CHUNKS:
            raise InvalidInput(
                f"the document has more than {MAX_CHUNKS:,} chunks", field="document", fix="split the document"
            )
        chunks.append(_make_chunk(parsed.text, start, end, path, document, seen))
    return chunks


def document_prefix(document: str) -> str:
    """Return what the ids of all chunks of a document begin with."""
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _make_chunk(
    text: str, start: int, end: int, path: tuple[str, ...], document: str, seen: "Occurrences[str]"
) -> Chunk:
    title = " > ".join(path)[:TITLE_CHARACTERS] or document[-TITLE_CHARACTERS:]
    words = text[start:end]
    key = "\0".join((title, words))
    # The same words under the same headings are told apart by their order.
    occurrence, seen[key] = seen[key], seen[key] + 1
    digest = hashlib.sha256("\0".join((document, key, str(occurrence))).encode()).hexdigest()[:32]
    return Chunk(
        chunk_id=f"{document_prefix(document)}#{digest}",
        title=title,
        text=words,
        start=start,
        end=end,
        sha256=hashlib.sha256(words.encode()).hexdigest(),
    )


def _iter_spans(parsed: ParsedDocument, count: Counter) -> Iterator[_Span]:
    """Yield the blocks, and what stands between them, so that nothing is lost."""
    position = 0
    path: tuple[str, ...] = ()
    for block in (*parsed.blocks, ParsedBlock(len(parsed.text), len(parsed.text), "text")):
        start = max(block.start, position)
        if parsed.text[position:start].strip():
            yield _make_span(parsed.text, position, start, "text", path, count)
        if block.end > start:
            path = block.path
            yield _make_span(parsed.text, start, block.end, block.kind, path, count)
        position = max(position, block.end)


def _make_span(text: str, start: int, end: int, kind: Kind, path: tuple[str, ...], count: Counter) -> _Span:
    return _Span(start, end, kind, path, count(text[start:end]))


def _merge_spans(spans: Iterator[_Span]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield (start, end, heading path) of chunks: as many spans of one section as fit."""
    current: list[_Span] = []
    tokens = 0
    for span in spans:
        only_headings = all(one.kind == "heading" for one in current)
        full = tokens + span.tokens > MAX_CHUNK_TOKENS and not (only_headings and tokens < MAX_CHUNK_TOKENS // 2)
        # A heading without words of its own goes with what follows it.
        begins = span.kind == "heading" or (bool(current) and span.path != current[-1].path)
        new_section = begins and not only_headings
        if current and (full or new_section):
            yield current[0].start, current[-1].end, current[-1].path
            current, tokens = [], 0
        current.append(span)
        tokens += span.tokens
    if current:
        yield current[0].start, current[-1].end, current[-1].path


def _split_span(text: str, span: _Span, count: Counter) -> Iterator[_Span]:
    """Yield the span, or pieces of it that fit into a chunk; pieces of prose overlap."""
    if span.tokens <= MAX_CHUNK_TOKENS:
        yield span
        return
    prose = span.kind in ("text", "item", "heading")
    atoms = [
        _make_span(text, start, end, span.kind, span.path, count)
        for start, end in _iter_atoms(text, span, prose, count)
    ]
    first = 0
    while first < len(atoms):
        last, tokens = first, atoms[first].tokens
        while last + 1 < len(atoms) and tokens + atoms[last + 1].tokens <= MAX_CHUNK_TOKENS:
            last += 1
            tokens += atoms[last].tokens
        yield _Span(atoms[first].start, atoms[last].end, span.kind, span.path, tokens)
        first = _next_first(atoms, first, last) if prose else last + 1


def _next_first(atoms: Sequence[_Span], first: int, last: int) -> int:
    """Return where the next piece begins: some sentences back, if they and the next one fit together."""
    following = last + 1
    if following == len(atoms):
        return following
    start, tokens = following, 0
    while start - 1 > first and tokens + atoms[start - 1].tokens <= OVERLAP_TOKENS:
        start -= 1
        tokens += atoms[start].tokens
    return start if tokens + atoms[following].tokens <= MAX_CHUNK_TOKENS else following


def _iter_atoms(text: str, span: _Span, prose: bool, count: Counter) -> Iterator[tuple[int, int]]:
    """Yield neighbouring parts, none longer than a chunk: sentences or lines, else words, else characters."""
    for start, end in _split_at(text, span.start, span.end, _SENTENCE if prose else _LINE):
        if count(text[start:end]) <= MAX_CHUNK_TOKENS:
            yield start, end
            continue
        for word, after in _split_at(text, start, end, _WORD):
            if count(text[word:after]) <= MAX_CHUNK_TOKENS:
                yield word, after
            else:
                yield from _split_word(text, word, after)


def _split_at(text: str, start: int, end: int, mark: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in mark.finditer(text, start, end):
        yield start, match.end()
        start = match.end()
    if start < end:
        yield start, end


def _split_word(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield parts of a word too long for a chunk, none cut before a combining character."""
    while start < end:
        # A character is four bytes at most, so one token at most.
        cut = min(start + MAX_CHUNK_TOKENS, end)
        for _ in range(20):
            if cut == end or not (
                unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] in _JOINERS
            ):
                break
            cut -= 1
        yield start, cut
        start = cut
