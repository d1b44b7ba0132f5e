"""Render a Word document (DOCX) as text: headings, paragraphs, lists, tables, footnotes; nothing hidden or deleted."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.formats.office.word_hiding import WORD as _W
from pentad.memory.documents.formats.office.word_hiding import WordHiding, is_deleted_row, is_white
from pentad.memory.documents.structure import ParsedText

_DESCRIPTION = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LEFT_OUT = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}rPr", f"{_W}pPr", f"{_W}instrText", _FALLBACK})
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_CONTAINERS = frozenset({f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml", f"{_W}smartTag"})
_MATH_WORDS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_MOST_COLUMNS = 200
_NOT_READ = (
    (RELATIONSHIP_TYPE.COMMENTS, "comments"),
    (RELATIONSHIP_TYPE.HEADER, "headers of pages"),
    (RELATIONSHIP_TYPE.FOOTER, "footers of pages"),
)
Element = Any


def parse_word(data: bytes) -> ParsedText:
    """Return the text and its blocks.

    Raises:
        InvalidInput: it is damaged, or unpacks to too much.
    """
    check_archive(data)
    with open_document("Word document"):
        _check_kind(data)
        return _WordReader(Document(io.BytesIO(data))).read()


def _check_kind(data: bytes) -> None:
    """Refuse what looks like a document and is none for python-docx, with the way out.

    Raises:
        InvalidInput: it has macros, or is a template.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read("[Content_Types].xml")
        related = archive.read("_rels/.rels")
    if b"purl.oclc.org/ooxml" in related:
        raise InvalidInput(
            "Word documents in the strict form of Open XML can't be read",
            field="document",
            fix="save it as 'Word document (.docx)'",
        )
    if b"wordprocessingml.document.main+xml" not in types:
        raise InvalidInput(
            "Word documents with macros and templates can't be read", field="document", fix="save it as .docx"
        )


class _WordReader:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._out = TextBuilder()
        self._hidden = 0
        self._white: list[str] = []
        self._levels = _find_levels(document)
        self._hiding = WordHiding(document)

    def read(self) -> ParsedText:
        self._add_all(self._document.element.body)
        for kind, title in ((RELATIONSHIP_TYPE.FOOTNOTES, "Footnotes"), (RELATIONSHIP_TYPE.ENDNOTES, "Endnotes")):
            self._add_notes(kind, title)
        self._note_unread()
        if self._hidden:
            self._out.notes.append(f"hidden text was left out: {_format_pieces(self._hidden)}")
        if white := " ".join(self._white).split():
            self._out.notes.append(f"words in white were read ({len(white):,}): {' '.join(white[:8])[:120]}")
        self._out.language = _find_language(self._document)
        return self._out.finish()

    def _add_all(self, parent: Element) -> None:
        for element in _iter_blocks(parent):
            if element.tag == f"{_W}p":
                self._add_paragraph(element)
            else:
                rows, headed = self._read_table(element)
                self._out.add_table(rows, headed=headed)

    def _add_paragraph(self, element: Element) -> None:
        words = self._read_words(element)
        properties = element.find(f"{_W}pPr")
        level = None if properties is None else self._find_level(properties)
        if level is not None and words.strip():
            self._out.add_heading(level, words)
        else:
            numbered = properties is not None and properties.find(f"{_W}numPr") is not None
            self._out.add(words, "item" if numbered else "text")
        for box in element.iter(f"{_W}txbxContent"):
            if not self._is_left_out(box, element):
                self._add_all(box)

    def _is_left_out(self, box: Element, paragraph: Element) -> bool:
        """Tell whether a text box of a paragraph is none to add: deleted, hidden, or part of another one."""
        for parent in box.iterancestors():
            if parent is paragraph:
                return False
            if parent.tag in _LEFT_OUT or parent.tag == f"{_W}txbxContent":
                return True
            if parent.tag == f"{_W}r" and self._hiding.hides_run(parent):
                self._hidden += 1
                return True
        return False

    def _note_unread(self) -> None:
        """Note words that stand beside the text, and documents within it."""
        from lxml import etree

        related = [one for one in self._document.part.rels.values() if not one.is_external]
        for kind, what in _NOT_READ:
            words: list[str] = []
            for one in related:
                if one.reltype == kind:
                    root = etree.fromstring(
                        one.target_part.blob, etree.XMLParser(resolve_entities=False, no_network=True)
                    )
                    words += (self._read_words(paragraph).strip() for paragraph in root.iter(f"{_W}p"))
            if found := list(filter(None, dict.fromkeys(words))):
                self._out.notes.append(f"{what} were not read: {'; '.join(found)[:120]}")
        if chunks := sum(1 for _ in self._document.element.body.iter(f"{_W}altChunk")):
            self._out.notes.append(f"documents within it were not read: {chunks:,}: open and save it, and upload that")

    def _find_level(self, properties: Element) -> int | None:
        outline = properties.find(f"{_W}outlineLvl")
        if outline is not None and (found := _read_number(outline)) is not None and found < 9:
            return found + 1
        style = properties.find(f"{_W}pStyle")
        return None if style is None else self._levels.get(style.get(f"{_W}val"))

    def _read_words(self, element: Element) -> str:
        """Return the words of a paragraph as they stand: inserted ones, links and fields, none deleted or hidden."""
        parts: list[str] = []
        stack = list(reversed(element))
        while stack:
            one = stack.pop()
            tag = one.tag
            if tag in _LEFT_OUT or tag == f"{_W}txbxContent":
                continue
            if tag == f"{_W}r" and self._hiding.hides_run(one):
                self._hidden += 1
                continue
            if tag == f"{_W}r" and is_white(one):
                self._white += [word.text or "" for word in one.iter(f"{_W}t")]
            if tag in (f"{_W}t", _MATH_WORDS):
                parts.append(one.text or "")
            elif tag in _BREAKS:
                parts.append(_BREAKS[tag])
            elif tag == _DESCRIPTION:
                parts.append(f" {one.get('descr') or ''} ")
            else:
                stack.extend(reversed(one))
        return "".join(parts)

    def _read_table(self, element: Element) -> tuple[list[list[str]], int | None]:
        rows: list[list[str]] = []
        headed = 0
        for row in element.iter(f"{_W}tr"):
            if next(row.iterancestors(f"{_W}tbl")) is not element:
                continue  # of a table within a cell, which is part of that cell
            if is_deleted_row(row):
                continue
            if self._hiding.hides_row(row):
                self._hidden += 1
                continue
            cells = [cell for cell in _iter_cells(row) for cell in self._read_cell(cell, rows)]
            before = row.find(f"{_W}trPr/{_W}gridBefore")
            skipped = min(_read_number(before) or 0, _MOST_COLUMNS) if before is not None else 0
            cells = [""] * skipped + cells
            is_header = row.find(f"{_W}trPr/{_W}tblHeader") is not None
            headed += is_header and headed == len(rows)
            rows.append(_carry_down(cells, rows))
        width = max((len(row) for row in rows), default=0)
        return [row + [""] * (width - len(row)) for row in rows], headed or None

    def _read_cell(self, cell: Element, above: list[list[str]]) -> list[str]:
        words = " ".join(filter(None, (self._read_words(one).strip() for one in cell.iter(f"{_W}p"))))
        properties = cell.find(f"{_W}tcPr")
        span = None if properties is None else properties.find(f"{_W}gridSpan")
        columns = min(_read_number(span) or 1, _MOST_COLUMNS) if span is not None else 1
        merged = None if properties is None else properties.find(f"{_W}vMerge")
        if merged is not None and merged.get(f"{_W}val") != "restart" and above:
            words = _MERGED
        return [words, *[""] * (columns - 1)]

    def _add_notes(self, kind: str, title: str) -> None:
        from lxml import etree

        related = self._document.part.rels.values()
        blobs = [one.target_part.blob for one in related if one.reltype == kind and not one.is_external]
        if not blobs:
            return
        root = etree.fromstring(blobs[0], etree.XMLParser(resolve_entities=False, no_network=True))
        words = [self._read_words(paragraph).strip() for paragraph in root.iter(f"{_W}p")]
        if any(words):
            self._out.open_section(1, title)
            for one in words:
                self._out.add(one, "item")


def _format_pieces(count: int) -> str:
    return f"{count:,} piece" if count == 1 else f"{count:,} pieces"


_MERGED = "\x00merged"


def _carry_down(cells: list[str], rows: list[list[str]]) -> list[str]:
    """Return a row in which what spans several rows stands in each of them."""
    above = rows[-1] if rows else []
    return [
        (above[column] if column < len(above) else "") if cell == _MERGED else cell for column, cell in enumerate(cells)
    ]


def _iter_blocks(parent: Element) -> Iterator[Element]:
    """Yield paragraphs and tables in order, also those within content controls and insertions."""
    stack = list(reversed(parent))
    while stack:
        element = stack.pop()
        if element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif element.tag in _CONTAINERS:
            stack.extend(reversed(element))


def _iter_cells(row: Element) -> Iterator[Element]:
    stack = list(reversed(row))
    while stack:
        element = stack.pop()
        if element.tag == f"{_W}tc":
            yield element
        elif element.tag in _CONTAINERS:
            stack.extend(reversed(element))


def _find_levels(document: Any) -> dict[str, int]:
    """Return the levels of the styles that make headings, by the styles' ids, in any language of Office."""
    levels: dict[str, int] = {}
    for style in document.styles.element.iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        words = (name.get(f"{_W}val") or "").lower() if name is not None else ""
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if words == "title":
            levels[style.get(f"{_W}styleId")] = 0  # above all others
        elif words.startswith("heading ") and words[8:].isdigit():
            levels[style.get(f"{_W}styleId")] = int(words[8:])
        elif outline is not None and (found := _read_number(outline)) is not None and found < 9:
            levels[style.get(f"{_W}styleId")] = found + 1
    return levels


def _find_language(document: Any) -> str | None:
    found = document.styles.element.find(f"{_W}docDefaults/{_W}rPrDefault/{_W}rPr/{_W}lang")
    return (found.get(f"{_W}val") or "").partition("-")[0].lower()[:8] or None if found is not None else None


def _read_number(element: Element) -> int | None:
    value = element.get(f"{_W}val") or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
