"""Turn a document's bytes into text and its structure.

The parsed text is what all offsets refer to. For text and Markdown it is the source itself, with line ends made equal
and control characters removed; HTML, CSV and JSON are rendered as text.
"""

import codecs
import json
import re
from collections.abc import Callable
from email.message import Message as Header
from pathlib import PurePosixPath

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.charset import decode
from pentad.memory.documents.formats.csv_and_json import parse_csv, parse_json, parse_json_lines
from pentad.memory.documents.formats.html import parse_html
from pentad.memory.documents.formats.markdown import parse_markdown
from pentad.memory.documents.formats.source_code import ENDINGS, parse_source
from pentad.memory.documents.structure import ParsedBlock, ParsedDocument, clean

_GENERIC = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded", "text/plain"}
)
_EXTENSIONS = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".log": "text/plain",
    ".rst": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_ALIASES = {
    "text/x-markdown": "text/markdown",
    "application/xhtml+xml": "text/html",
    "text/tab-separated-values": "text/csv",
    "application/jsonl": "application/x-ndjson",
    "application/json-lines": "application/x-ndjson",
    "application/xml": "text/plain",
    "application/yaml": "text/plain",
    "application/x-yaml": "text/plain",
    "application/toml": "text/plain",
}
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NOT_YET = {"application/pdf": "PDF", _WORD: "Word"}
_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""What Excel and Word files of before 2007 begin with."""
_HEAD_BYTES = 4096
_JSON_STARTS = frozenset({bytes([one]) for one in b'{["-0123456789tfn'} | {b""})
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What separates paragraphs. Possessive: one match for each paragraph instead would keep a state for each character.
_GAP = re.compile(r"\n[^\S\n]*+\n\s*+")


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
    kind = detect_kind(data, name=name, declared=declared)
    parser = _PARSERS.get(kind)
    if parser is None:
        raise InvalidInput(
            f"documents of the type '{kind}' can't be read",
            field="media_type",
            fix="upload text, Markdown, HTML, CSV or JSON",
        )
    decoded = decode(data, charset, markup=kind == "text/html")
    source = kind == "text/plain" and PurePosixPath(name).suffix.lower() in ENDINGS
    text, blocks = (parse_source if source else parser)(clean(decoded.text))
    named = "source" if source else _NAMES.get(kind, "text")
    return ParsedDocument(text, tuple(blocks), kind, decoded.notes, named)


def detect_kind(data: bytes, *, name: str, declared: str) -> str:
    """Return the media type to read the document as.

    The label is a hint, and often wrong: browsers on Windows say ``application/vnd.ms-excel`` of a ``.csv``.

    Raises:
        InvalidInput: it is PDF or Word, which can't be read yet.
    """
    kind = _find_signature(data) or _choose_kind(data, _ALIASES.get(declared, declared), name)
    if kind in _NOT_YET:
        raise InvalidInput(
            f"{_NOT_YET[kind]} documents can't be read yet", field="media_type", fix="upload the text, or Markdown"
        )
    return kind


def _find_signature(data: bytes) -> str | None:
    """Return the type that a document's first bytes say, which no label can change."""
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(_ZIP) and b"word/" in data[:_HEAD_BYTES]:
        return _WORD
    if data.startswith(_OLE):
        return "application/x-ole-storage"
    return None


def _choose_kind(data: bytes, label: str, name: str) -> str:
    """Return the type by the label where the content can be of it, else by the name's ending, else by the content."""
    ending = _EXTENSIONS.get(PurePosixPath(name).suffix.lower(), "")
    if label in _NOT_YET or (label not in _GENERIC and label in _PARSERS and _can_be(label, data)):
        return label
    # Zeros in what is labelled as nothing in particular may be UTF-16; under a wrong label they are no text.
    if ending in _NOT_YET or (ending and _can_be(ending, data) and (label in _GENERIC or not _is_binary(data))):
        return ending
    if label.startswith("text/"):  # Source code, configuration and the like are worth searching too.
        return "text/plain"
    return label or "application/octet-stream" if _is_binary(data) else _guess_kind(data)


def _is_binary(data: bytes) -> bool:
    return b"\x00" in data[:8192] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _can_be(kind: str, data: bytes) -> bool:
    """Tell whether content can be of a type: JSON begins in few ways, and all else may be any text."""
    if kind not in ("application/json", "application/x-ndjson"):
        return True
    return _trim(data[:_HEAD_BYTES].replace(b"\x00", b""))[:1] in _JSON_STARTS


def _guess_kind(data: bytes) -> str:
    """Return the type of text that neither its label nor its name tells."""
    head = _trim(data[:_HEAD_BYTES].replace(b"\x00", b"")).lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if head[:1] in (b"{", b"[") and _is_json(data):
        return "application/json"
    return "text/plain"


def _is_json(data: bytes) -> bool:
    try:
        json.loads(decode(data).text)
    except (ValueError, RecursionError):
        return False
    return True


def _trim(head: bytes) -> bytes:
    for mark, _ in _BOMS:
        head = head.removeprefix(mark)
    return head.lstrip()


def parse_text(text: str) -> tuple[str, list[ParsedBlock]]:
    """Return plain text as it is; paragraphs are separated by blank lines."""
    blocks: list[ParsedBlock] = []
    position = len(text) - len(text.lstrip())
    for gap in _GAP.finditer(text, position):
        blocks.append(ParsedBlock(position, gap.start(), "text"))
        position = gap.end()
    if position < len(text):
        blocks.append(ParsedBlock(position, len(text), "text"))
    return text, blocks


def _parse_content_type(value: str) -> tuple[str, str | None]:
    header = Header()
    header["Content-Type"] = clean(value).replace("\n", " ")
    charset = header.get_param("charset")
    declared = value.partition(";")[0].strip().lower()
    return declared, charset if isinstance(charset, str) else None


_PARSERS: dict[str, Callable[[str], tuple[str, list[ParsedBlock]]]] = {
    "text/plain": parse_text,
    "text/markdown": parse_markdown,
    "text/html": parse_html,
    "text/csv": parse_csv,
    "application/json": parse_json,
    "application/x-ndjson": parse_json_lines,
}
_NAMES = {
    "text/markdown": "markdown-it-py",
    "text/html": "html",
    "text/csv": "csv",
    "application/json": "json",
    "application/x-ndjson": "json",
}
