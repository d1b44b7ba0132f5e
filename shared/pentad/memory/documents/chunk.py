"""Cut a parsed document into chunks, along its structure.

A chunk is a piece of the parsed text, ``text[start:end]``, within one section, of 400 tokens at most where words allow.
Every character that is not space is in a chunk. A section that is longer is cut between its paragraphs, items and rows,
a paragraph that is longer between its sentences, with a little overlap, and code at its definitions. Where, the content
decides (`boundaries`), so that a change of a document changes the chunks around it and no others.
"""

import hashlib
import re
import unicodedata
from collections import Counter as Occurrences
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from pentad.domain.errors import InvalidInput
from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.boundaries import NEVER, hash_atom, split_range
from pentad.memory.documents.structure import DEFINITION, ParsedBlock, ParsedDocument
from pentad.memory.tokens import Counter

MAX_CHUNK_TOKENS = 400
MIN_CHUNK_TOKENS = 120
"""Of the parts of a section that is cut, where its paragraphs allow it."""
MAX_RECORD_TOKENS = 800
"""Of a row or a record that is kept whole."""
OVERLAP_TOKENS = 50
LARGE_TOKENS = 4_000_000
"""Of a document, beyond which its chunks are twice as large, and three times beyond twice as many."""
MAX_CHUNKS = 30_000
"""Their list fits into one transaction of 4 MB, and 25 MB of text into them."""
TITLE_CHARACTERS = 300
HEADER_CHARACTERS = 500

# After the end of a sentence: a mark, closing quotes or brackets, then space; Chinese and Japanese marks need no space.
_SENTENCE = re.compile(r"(?:[.!?\u2026][\"'\u201d\u2019)\]]*\s+|[\u3002\uff01\uff1f][\u300d\u300f\uff09]?\s*|\n)")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")
_GROUP_CHARACTERS = 200
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


@dataclass(frozen=True)
class Chunk:
    """A chunk, with what its vector needs. The id stays the same as long as its words do, under whatever headings."""

    chunk_id: str
    title: str
    text: str
    start: int
    end: int
    sha256: str
    header: str = ""
    page: int | None = None

    @property
    def indexed(self) -> str:
        """What is searched: the headings above, the table's header, and the words."""
        # The headings above a chunk often say what its words are about.
        return f"{self.title}\n\n{self.header}\n{self.text}" if self.header else f"{self.title}\n\n{self.text}"


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    tokens: int
    block: ParsedBlock
    level: int = 0
    """0 where a block begins, 1 at a definition within one, 2 elsewhere in one; see `hash_atom`."""


def split_document(parsed: ParsedDocument, *, document: str, count: Counter = estimate_tokens) -> list[Chunk]:
    """Return the document's chunks in order.

    Args:
        parsed: the document.
        document: its name; part of the chunks' ids, and their title where there are no headings.
        count: estimates the tokens of a text.

    Raises:
        InvalidInput: more than 30,000 chunks.
    """
    chunks: list[Chunk] = []
    seen: Occurrences[str] = Occurrences()
    scale = max(1, -(-count(parsed.text) // LARGE_TOKENS))
    for section in _iter_sections(_iter_blocks(parsed, count)):
        for start, end, block in _split_section(parsed.text, section, count, scale):
            words = parsed.text[start:end]
            start, end = start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())
            if start >= end:
                continue
            if len(chunks) == MAX_CHUNKS:
                raise InvalidInput(
                    f"the document has more than {MAX_CHUNKS:,} chunks", field="document", fix="split the document"
                )
            chunks.append(_make_chunk(parsed.text, start, end, block, document, seen))
    return chunks


def document_prefix(document: str) -> str:
    """Return what the ids of all chunks of a document begin with."""
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _make_chunk(text: str, start: int, end: int, block: ParsedBlock, document: str, seen: "Occurrences[str]") -> Chunk:
    words = text[start:end]
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    # The same words are told apart by their order. Headings are no part of the id: a renamed one moves no chunk.
    occurrence, seen[sha256] = seen[sha256], seen[sha256] + 1
    digest = hashlib.sha256("\0".join((document, words, str(occurrence))).encode()).hexdigest()[:32]
    lines = {line.strip() for line in words.split("\n")}
    header = "\n".join(line for line in block.header[:HEADER_CHARACTERS].split("\n") if line.strip() not in lines)
    return Chunk(
        chunk_id=f"{document_prefix(document)}#{digest}",
        title=" > ".join(block.path)[:TITLE_CHARACTERS] or document[-TITLE_CHARACTERS:],
        text=words,
        start=start,
        end=end,
        sha256=sha256,
        header=header,
        page=block.page,
    )


def _iter_blocks(parsed: ParsedDocument, count: Counter) -> Iterator[_Span]:
    """Yield the blocks, and what stands between them, so that nothing is lost."""
    position = 0
    last = ParsedBlock(0, 0, "text")
    for block in (*parsed.blocks, ParsedBlock(len(parsed.text), len(parsed.text), "text")):
        start = max(block.start, position)
        if parsed.text[position:start].strip():
            between = ParsedBlock(position, start, "text", last.path, page=last.page)
            yield _Span(position, start, count(parsed.text[position:start]), between)
        if block.end > start:
            last = block
            yield _Span(start, block.end, count(parsed.text[start : block.end]), block)
        position = max(position, block.end)


def _iter_sections(spans: Iterator[_Span]) -> Iterator[list[_Span]]:
    """Yield the spans of one section after the other: a heading and what is below it, up to the next heading."""
    current: list[_Span] = []
    only_headings, tokens = True, 0
    for span in spans:
        # A heading without words of its own goes with what follows it.
        joins = only_headings and tokens < MAX_CHUNK_TOKENS // 2
        begins = span.block.kind == "heading" or (bool(current) and span.block.path != current[-1].block.path)
        if current and begins and not joins:
            yield current
            current, only_headings, tokens = [], True, 0
        current.append(span)
        only_headings = only_headings and span.block.kind == "heading"
        tokens += span.tokens
    if current:
        yield current


def _split_section(
    text: str, section: Sequence[_Span], count: Counter, scale: int
) -> Iterator[tuple[int, int, ParsedBlock]]:
    """Yield (start, end, block) of a section's chunks; the block tells the headings, the header and the page."""
    most, least = MAX_CHUNK_TOKENS * scale, MIN_CHUNK_TOKENS * scale
    if sum(span.tokens for span in section) <= most:
        yield section[0].start, section[-1].end, _describe(section)
        return
    atoms = [atom for span in section for atom in _split_span(text, span, count)]
    hashes = [
        hash_atom(text[atom.start : atom.end], _find_level(atoms[index - 1] if index else None, atom))
        for index, atom in enumerate(atoms)
    ]
    sizes = [atom.tokens for atom in atoms]
    for first, end in split_range(sizes, hashes, most=most, least=least):
        start = _find_start(atoms, first)
        yield atoms[start].start, atoms[end - 1].end, _describe(atoms[start:end])


def _describe(spans: Sequence[_Span]) -> ParsedBlock:
    """Return the block that stands for some spans of a section: the last heading's path, the first one's header."""
    first = spans[0].block
    row = next((span.block for span in spans if span.block.header), first)
    header = first.header or (row.header if first.kind == "heading" else "")
    return ParsedBlock(first.start, first.end, first.kind, spans[-1].block.path, header, first.page)


def _find_level(before: _Span | None, atom: _Span) -> int:
    """Return the level of the cut before an atom: a heading and a table's header stay with what follows them."""
    if before is None or atom.level:
        return atom.level
    names = before.block.kind == "heading" or (
        bool(atom.block.header) and before.block.kind == "row" and not before.block.header
    )
    return NEVER if names and before.block is not atom.block else 0


def _find_start(atoms: Sequence[_Span], first: int) -> int:
    """Return where a chunk that goes on within a paragraph begins: some sentences earlier."""
    start, tokens = first, 0
    while start and atoms[start].level and atoms[start].block.kind in _PROSE:
        tokens += atoms[start - 1].tokens
        if tokens > OVERLAP_TOKENS:
            break
        start -= 1
    return start


_LEAST_PART = 24
_MOST_CUT_BY_CONTENT = 1_000_000
_PROSE = ("text", "item", "heading")


def _split_span(text: str, span: _Span, count: Counter) -> Iterator[_Span]:
    """Yield the span, or its sentences or lines where it is longer than a chunk; a record is kept whole."""
    kind = span.block.kind
    if span.tokens <= (MAX_RECORD_TOKENS if kind == "row" else MAX_CHUNK_TOKENS):
        yield span
        return
    block = span.block
    if kind == "row" and not block.header:  # its first line names it: an id, a name
        first_line = text[span.start : span.end].strip().partition("\n")[0]
        block = ParsedBlock(block.start, block.end, kind, block.path, first_line[:HEADER_CHARACTERS], block.page)
    for start, end in _iter_atoms(text, span, kind in _PROSE, count):
        level = 0 if start == span.start else 1 if kind == "code" and DEFINITION.match(text, start, end) else 2
        yield _Span(start, end, count(text[start:end]), block, level)


def _iter_atoms(text: str, span: _Span, prose: bool, count: Counter) -> Iterator[tuple[int, int]]:
    """Yield neighbouring parts, none longer than a chunk: sentences or lines, else words, else characters."""
    for start, end in _split_at(text, span.start, span.end, _SENTENCE if prose else _LINE):
        if count(text[start:end]) <= MAX_CHUNK_TOKENS:
            yield start, end
            continue
        for word, after in _group_words(text, start, end):
            if count(text[word:after]) <= MAX_CHUNK_TOKENS:
                yield word, after
            else:
                yield from _split_word(text, word, after)


def _group_words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield some words at a time, up to one that ends a group by its content: a line of a megabyte has few atoms so."""
    first = start
    for word, after in _split_at(text, start, end, _WORD):
        words = text[word:after]
        if after - first > _GROUP_CHARACTERS and word > first:
            yield first, word
            first = word
        if after - first > _GROUP_CHARACTERS or not crc32(words.encode("utf-8", "surrogatepass")) % 8:
            yield first, after
            first = after
    if first < end:
        yield first, end


def _split_at(text: str, start: int, end: int, mark: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in mark.finditer(text, start, end):
        yield start, match.end()
        start = match.end()
    if start < end:
        yield start, end


def _split_word(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield parts of a word too long for a chunk, none cut before a combining character.

    Scripts without blanks and marks have such words. Where they are cut their characters say, so that what is inserted
    changes the cuts around it alone; of a word of a megabyte, which is data, each part is as long as can be.
    """
    by_content = end - start <= _MOST_CUT_BY_CONTENT
    while start < end:
        # A character is four bytes at most, so one token at most.
        last = min(start + MAX_CHUNK_TOKENS, end)
        cut = _find_cut(text, start + _LEAST_PART, last) if by_content else last
        for _ in range(20):
            if cut == end or not (
                unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] in _JOINERS
            ):
                break
            cut -= 1
        yield start, cut
        start = cut


def _find_cut(text: str, first: int, last: int) -> int:
    """Return the first place from some on at which the three characters around it say that is cut, else the last."""
    for place in range(first, last):
        if (ord(text[place - 2]) * 7919 + ord(text[place - 1]) * 31 + ord(text[place])) % 61 == 0:
            return place
    return last
