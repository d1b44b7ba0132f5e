"""Turn a document's bytes into text and its structure.

The parsed text is what all offsets refer to. For text, Markdown and source code it is the source itself, with line ends
made equal and control characters removed; all else is rendered as text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message as Header
from importlib import import_module
from pathlib import PurePosixPath

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats import kinds
from pentad.memory.documents.formats.charset import decode
from pentad.memory.documents.formats.looks import CLEARLY, rate_markups
from pentad.memory.documents.formats.source_code import ENDINGS
from pentad.memory.documents.structure import ParsedBlock, ParsedDocument, ParsedText, clean

_HEAD_CHARACTERS = 60_000
_MOST_TRIED = 2_000_000
"""Characters of a plain text that is read as a markup too, for what that hides: it takes a second."""
_XML_BEGIN = 200
# What separates paragraphs. Possessive: one match for each paragraph instead would keep a state for each character.
_GAP = re.compile(r"\n[^\S\n]*+\n\s*+")


@dataclass(frozen=True)
class _Parser:
    """A function of a module that is loaded with the first document that needs it."""

    name: str
    module: str
    function: str

    def load(self) -> Callable[..., ParsedText]:
        """Return the function."""
        found: Callable[..., ParsedText] = getattr(import_module(f"{__package__}.{self.module}"), self.function)
        return found


def parse(data: bytes, *, name: str, media_type: str) -> ParsedDocument:
    """Return a document's text and structure.

    Args:
        data: the document.
        name: its name; the ending tells the type where ``media_type`` is none in particular.
        media_type: the content type it was uploaded with, such as ``text/html; charset=utf-8``.

    Raises:
        InvalidInput: a type that can't be read, or content that is not of its type.
    """
    declared, charset = _parse_content_type(media_type)
    kind = kinds.detect_kind(data, name=name, declared=declared)
    ending = PurePosixPath(name).suffix.lower()
    is_source = kind == "text/plain" and ending in ENDINGS
    parser = _SOURCE if is_source else _PARSERS.get(kind)
    if parser is None:
        raise InvalidInput(
            f"documents of the type '{kind}' can't be read",
            field="media_type",
            fix="upload PDF, Word, Excel, PowerPoint, HTML, Markdown, CSV, JSON, mail or text",
        )
    notes = () if is_source else kinds.compare_kind(kind, data, name=name, declared=declared)
    if kind in kinds.TEXT:
        decoded = decode(data, charset, markup=kind == "text/html")
        notes += decoded.notes
        text = clean(decoded.text)
        if kind == "text/plain" and not is_source:
            parser = _choose_markup(text, ending, declared)
        found = parser.load()(text)
        if parser is _PARSERS["text/plain"]:
            notes += _find_unshown(text)
    else:
        found = parser.load()(data)
    return ParsedDocument(found.text, tuple(found.blocks), kind, notes + found.notes, parser.name, found.language)


def _choose_markup(text: str, ending: str, declared: str) -> _Parser:
    """Return what reads a text of no type of its own: some are written in a markup that has comments."""
    if ending in _MARKED:
        return _MARKED[ending]
    is_xml = declared.endswith(("/xml", "+xml")) or (
        text[:_XML_BEGIN].lstrip().startswith("<?xml") and kinds.find_kind_of_ending(ending) != "text/plain"
    )
    return _XML if is_xml else _MARKED.get(_BY_LABEL.get(declared, ""), _PARSERS["text/plain"])


def _find_unshown(text: str) -> tuple[str, ...]:
    """Return the doubt that a plain text is written in a markup, whose pages would not show all that was read."""
    points = dict(zip(("text/markdown", kinds.RST, kinds.ASCIIDOC), rate_markups(text[:_HEAD_CHARACTERS]), strict=True))
    best = max(points, key=lambda one: points[one])
    comments = min(text.count("<!--"), text.count("-->"))
    if points[best] >= CLEARLY and len(text) <= _MOST_TRIED:
        found = _PARSERS[best].load()(text)
        if found.text != text:
            what = found.notes[0].replace("left out", "read") if found.notes else "parts of its HTML were read"
            return (f"it looks like {kinds.NAMED[best]}, whose pages do not show all that plain text does: {what}",)
    return (f"comments as of HTML were read, since it is plain text: {comments:,}",) if comments else ()


def load_parser(ending: str) -> None:
    """Load what reads documents whose names end so, such as ``.pdf``; nothing for other endings."""
    parser = _PARSERS.get(kinds.find_kind_of_ending(ending))
    if parser is not None:
        parser.load()


def parse_text(text: str) -> ParsedText:
    """Return plain text as it is; paragraphs are separated by blank lines."""
    blocks: list[ParsedBlock] = []
    position = len(text) - len(text.lstrip())
    for gap in _GAP.finditer(text, position):
        blocks.append(ParsedBlock(position, gap.start(), "text"))
        position = gap.end()
    if position < len(text):
        blocks.append(ParsedBlock(position, len(text), "text"))
    return ParsedText(text, blocks)


def _parse_content_type(value: str) -> tuple[str, str | None]:
    header = Header()
    header["Content-Type"] = clean(value).replace("\n", " ")
    charset = header.get_param("charset")
    declared = value.partition(";")[0].strip().lower()
    return declared, charset if isinstance(charset, str) else None


_SOURCE = _Parser("source", "source_code", "parse_source")
_PARSERS = {
    "text/plain": _Parser("text", "parse", "parse_text"),
    "text/markdown": _Parser("markdown-it-py", "markup.markdown", "parse_markdown"),
    "text/html": _Parser("html", "web.html", "parse_html"),
    "text/csv": _Parser("csv", "tables", "parse_csv"),
    "application/json": _Parser("json", "records", "parse_json"),
    "application/x-ndjson": _Parser("json", "records", "parse_json_lines"),
    kinds.NOTEBOOK: _Parser("notebook", "notebooks", "parse_notebook"),
    kinds.RST: _Parser("rst", "markup.rst", "parse_rst"),
    kinds.ASCIIDOC: _Parser("asciidoc", "markup.asciidoc", "parse_asciidoc"),
    kinds.MAIL: _Parser("email", "mail", "parse_mail"),
    kinds.PDF: _Parser("pdfium", "office.pdf", "parse_pdf"),
    kinds.WORD: _Parser("python-docx", "office.word", "parse_word"),
    kinds.SLIDES: _Parser("python-pptx", "office.slides", "parse_slides"),
    kinds.SHEETS: _Parser("openpyxl", "office.sheets", "parse_sheets"),
}
_XML = _Parser("xml", "markup.comments", "parse_xml")
_MARKED = {
    **dict.fromkeys((".tex", ".ltx", ".latex"), _Parser("latex", "markup.latex", "parse_latex")),
    ".org": _Parser("org", "markup.comments", "parse_org"),
    ".vtt": _Parser("webvtt", "markup.comments", "parse_subtitles"),
    **dict.fromkeys(
        ".xml .svg .rss .atom .xsd .xsl .xslt .dita .ditamap .dbk .docbook .xlf .xliff .kml .gpx .plist .opml .wsdl "
        ".resx .fb2 .tei .jats .wiki .mediawiki".split(),
        _XML,
    ),
}
"""Of names of files that are read as text, without comments."""
_BY_LABEL = {
    **dict.fromkeys(("text/x-tex", "application/x-tex", "application/x-latex", "text/x-latex"), ".tex"),
    "text/org": ".org",
    "text/vtt": ".vtt",
}
