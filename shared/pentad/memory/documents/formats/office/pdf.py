"""Render a PDF as text with pages, headings and paragraphs: by PDFium, and by pypdf what PDFium refuses."""

import io
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2
from pypdfium2 import raw

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import open_document
from pentad.memory.documents.formats.office.pdf_annotations import PageAnnotations, find_layers
from pentad.memory.documents.formats.office.pdf_hidden import HiddenWords
from pentad.memory.documents.structure import ParsedText, clean

MAX_PAGES = 5000
_HEADING_RATIO = 1.15
_HEADING_CHARACTERS = 150
_LEVELS = 4
_LINE = re.compile(r"[^\r\n]+")
_SOFT_HYPHENS = "\x02\ufffe\u00ad"
_LIST = re.compile(r"(?:[\u2022\u25aa\u25cf\u2013*-]|\(?[0-9]{1,3}[.)]|\(?[a-z][.)])\s")
_UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff]")
_TAIL_BYTES = 2048
_SENTENCE_END = (".", "!", "?", ":", "\u3002")


@dataclass(frozen=True)
class _PageLine:
    """A line of a page: its words, the size of its letters, its upper and lower edge in points."""

    words: str
    size: float
    top: float
    bottom: float


def parse_pdf(data: bytes) -> ParsedText:
    """Return the text and its blocks, with the number of each block's page.

    Raises:
        InvalidInput: it is damaged, protected by a password, has more than 5,000 pages, or no text at all.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise _refuse("the PDF is protected by a password", "save it without one") from error
        return _parse_damaged(data)
    try:
        document.init_forms()  # before a page is opened
        return _render(document, [*_find_damage(data), *find_layers(data)])
    finally:
        document.close()


def _render(document: Any, notes: list[str]) -> ParsedText:
    _check_pages(len(document))
    pages: list[list[_PageLine]] = []
    written: list[list[str]] = []
    annotations = PageAnnotations(document)
    broken: list[int] = []
    hidden = HiddenWords()
    for number in range(len(document)):
        try:
            rows, words = _read_page(document, number, hidden, annotations)
        except pypdfium2.PdfiumError:
            broken.append(number + 1)
            rows, words = [], []
        pages.append(rows)
        written.append(words)
    out = TextBuilder()
    out.notes += notes
    if broken:
        out.notes.append(f"pages that can't be read: {_list_pages(broken)}")
    if hidden.pages:
        unseen = " ".join(hidden.words)
        out.notes.append(f"words that a reader does not see ({unseen}), on pages {_list_pages(hidden.pages)}")
    out.notes += annotations.list_notes()
    sizes = [row.size for page in pages for row in page for _ in range(max(1, len(row.words) // 20))]
    body = statistics.median(sizes) if sizes else 0.0
    levels = _find_levels(pages, body)
    for number, (rows, words) in enumerate(zip(pages, written, strict=True), 1):
        out.page = number
        _add_page(out, rows, levels)
        for one in words:
            out.add(one)
    return _finish(out, [bool(rows or words) for rows, words in zip(pages, written, strict=True)])


def _find_damage(data: bytes) -> list[str]:
    """Return a doubt where a PDF does not end as one does: PDFium repairs what it can, and says nothing of it."""
    tail = data[-_TAIL_BYTES:]
    whole = b"%%EOF" in tail and b"startxref" in tail
    return [] if whole else ["the PDF has no proper end: it may be cut off, and was repaired"]


def _finish(out: TextBuilder, filled: list[bool]) -> ParsedText:
    """Return what was read; say which pages have no text."""
    if not out:
        raise _refuse("the PDF has no text: its pages are images or empty", "recognise its text (OCR), and upload that")
    found = out.finish()
    if unknown := len(_UNKNOWN.findall(found.text)):
        out.notes.append(f"letters that its fonts do not tell: {unknown:,}")
    if empty := [number for number, has_text in enumerate(filled, 1) if not has_text]:
        out.notes.append(f"pages without text (images, or empty): {_list_pages(empty)}")
    out.page = None
    return out.finish()


def _read_page(
    document: Any, number: int, hidden: HiddenWords, annotations: PageAnnotations
) -> tuple[list[_PageLine], list[str]]:
    """Return the lines of a page, and what is written on it beside them."""
    page = document[number]
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
        hidden.look(number + 1, page, textpage, text)
        return [row for row in _iter_rows(textpage, text) if row.words], list(annotations.read(page))
    finally:
        textpage.close()
        page.close()


def _iter_rows(textpage: Any, text: str) -> Iterator[_PageLine]:
    count = textpage.count_chars()
    for match in _LINE.finditer(text):
        words = match[0]
        place = match.start() + len(words) - len(words.lstrip())
        size, top, bottom = 0.0, 0.0, 0.0
        if place < count:
            size = float(raw.FPDFText_GetFontSize(textpage, place))
            _, bottom, _, top = textpage.get_charbox(place, loose=True)
        yield _PageLine(" ".join(words.split()), round(size, 1), top, bottom)


def _find_levels(pages: list[list[_PageLine]], body: float) -> dict[float, int]:
    """Return the levels of the sizes that headings are in: few, short, and larger than most of the text."""
    rows = [row for page in pages for row in page]
    large: dict[float, list[_PageLine]] = {}
    for row in rows:
        if row.size > body * _HEADING_RATIO:
            large.setdefault(row.size, []).append(row)
    total = sum(len(row.words) for row in rows) or 1
    names = [
        size for size, found in large.items() if sum(len(row.words) for row in found) < total / 4 or len(found) == 1
    ]
    return {size: min(level, _LEVELS) for level, size in enumerate(sorted(names, reverse=True), 1)}


def _add_page(out: TextBuilder, rows: list[_PageLine], levels: dict[float, int]) -> None:
    paragraph: list[_PageLine] = []
    heights = [row.top - row.bottom for row in rows if row.top > row.bottom]
    height = statistics.median(heights) if heights else 0.0
    width = max((len(row.words) for row in rows), default=0)
    heading: list[_PageLine] = []
    for row in rows:
        is_heading = row.size in levels and len(row.words) <= _HEADING_CHARACTERS
        if heading and not (is_heading and heading[-1].size == row.size and len(heading) < 3):
            out.add_heading(levels[heading[0].size], _join(heading))
            heading = []
        if is_heading:
            _add_paragraph(out, paragraph)
            paragraph = []
            heading.append(row)
            continue
        if paragraph and _begins(paragraph[-1], row, height, width):
            _add_paragraph(out, paragraph)
            paragraph = []
        paragraph.append(row)
    if heading:
        out.add_heading(levels[heading[0].size], _join(heading))
    _add_paragraph(out, paragraph)


def _begins(before: _PageLine, row: _PageLine, height: float, width: int) -> bool:
    """Tell if a line begins a paragraph: after a gap, in another size, as an item, or after a short last line."""
    gap = before.bottom - row.top
    if height and (gap > height * 0.6 or gap < -height * 3):
        return True
    if abs(before.size - row.size) > 0.6 or _LIST.match(row.words):
        return True
    return before.words.endswith(_SENTENCE_END) and len(before.words) < width * 0.7


def _add_paragraph(out: TextBuilder, rows: list[_PageLine]) -> None:
    if rows:
        out.add(_join(rows), "item" if _LIST.match(rows[0].words) else "text")


def _join(rows: list[_PageLine]) -> str:
    """Return lines as one; a word that is cut at a line's end is whole again."""
    text = ""
    for row in rows:
        if text and text[-1] in _SOFT_HYPHENS:
            text = text[:-1] + row.words
        else:
            text = f"{text} {row.words}" if text else row.words
    return text.translate(dict.fromkeys(map(ord, _SOFT_HYPHENS)))


def _parse_damaged(data: bytes) -> ParsedText:
    """Return what pypdf, which repairs more, finds in a PDF that PDFium refuses."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each repair
    out = TextBuilder()
    filled: list[bool] = []
    with open_document("PDF"):
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise _refuse("the PDF is protected by a password", "save it without one")
        _check_pages(len(reader.pages))
        for number, page in enumerate(reader.pages, 1):
            out.page = number
            words = clean(page.extract_text() or "")
            filled.append(bool(words.strip()))
            for paragraph in words.split("\n\n"):
                out.add(paragraph)
    out.notes.append("the PDF is damaged: it was repaired, and may be incomplete")
    return _finish(out, filled)


def _check_pages(count: int) -> None:
    if count > MAX_PAGES:
        raise _refuse(f"the PDF has {count:,} pages, and {MAX_PAGES:,} are the limit", "split it")


def _list_pages(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    return ", ".join(map(str, numbers[:20])) + more


def _refuse(message: str, fix: str) -> InvalidInput:
    return InvalidInput(message, field="document", fix=fix)
