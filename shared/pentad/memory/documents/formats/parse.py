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
from pentad.memory.documents.formats.source_code import ENDINGS
from pentad.memory.documents.structure import ParsedBlock, ParsedDocument, ParsedText, clean

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
    is_source = kind == "text/plain" and PurePosixPath(name).suffix.lower() in ENDINGS
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
        found = parser.load()(clean(decoded.text))
    else:
        found = parser.load()(data)
    return ParsedDocument(found.text, tuple(found.blocks), kind, notes + found.notes, parser.name, found.language)


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
