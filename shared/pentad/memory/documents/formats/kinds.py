"""Tell of which type a document is: by its content where that says so, by its label and its name's ending elsewhere."""

import codecs
import io
import zipfile
from pathlib import PurePosixPath

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import read_json
from pentad.memory.documents.formats.charset import decode
from pentad.memory.documents.formats.charsets.wide import detect_wide
from pentad.memory.documents.formats.looks import (
    CLEARLY,
    begins_with_field,
    has_columns,
    has_tags,
    is_fragment,
    is_page,
    is_table,
    rate_markups,
    take_head,
)

_OFFICE = "application/vnd.openxmlformats-officedocument."
PDF = "application/pdf"
WORD = f"{_OFFICE}wordprocessingml.document"
SLIDES = f"{_OFFICE}presentationml.presentation"
SHEETS = f"{_OFFICE}spreadsheetml.sheet"
MAIL = "message/rfc822"
NOTEBOOK = "application/x-ipynb+json"
RST = "text/x-rst"
ASCIIDOC = "text/asciidoc"

_GENERIC = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded", "text/plain"}
)
_EXTENSIONS = {
    **dict.fromkeys((".txt", ".text", ".log"), "text/plain"),
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"), "text/markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "text/html"),
    **dict.fromkeys((".csv", ".tsv"), "text/csv"),
    ".json": "application/json",
    **dict.fromkeys((".jsonl", ".ndjson"), "application/x-ndjson"),
    ".pdf": PDF,
    ".docx": WORD,
    ".pptx": SLIDES,
    ".xlsx": SHEETS,
    **dict.fromkeys((".eml", ".mht", ".mhtml"), MAIL),
    ".ipynb": NOTEBOOK,
    **dict.fromkeys((".rst", ".rest"), RST),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), ASCIIDOC),
}
_ALIASES = {
    "text/x-markdown": "text/markdown",
    "application/xhtml+xml": "text/html",
    "text/tab-separated-values": "text/csv",
    "application/csv": "text/csv",
    "application/jsonl": "application/x-ndjson",
    "application/json-lines": "application/x-ndjson",
    "text/prs.fallenstein.rst": RST,
    "text/restructuredtext": RST,
    "text/x-asciidoc": ASCIIDOC,
    "application/x-pdf": PDF,
    **dict.fromkeys(
        ("application/xml", "application/yaml", "application/x-yaml", "application/toml", "application/javascript"),
        "text/plain",
    ),
}
TEXT = frozenset(
    {"text/plain", "text/markdown", "text/html", "text/csv", "application/json", "application/x-ndjson"}
    | {NOTEBOOK, RST, ASCIIDOC}
)
"""Types that are decoded before they are parsed."""
BINARY = {PDF: "PDF", WORD: "Word", SLIDES: "PowerPoint", SHEETS: "Excel"}
_MAIN_PARTS = {"word/document.xml": WORD, "ppt/presentation.xml": SLIDES, "xl/workbook.xml": SHEETS}
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""What Excel and Word files of before 2007 begin with, and newer ones that are protected by a password."""
_UNREADABLE = (
    (b"{\\rtf", "RTF", "save it as .docx, and upload that"),
    (b"\x1f\x8b", "gzip archives", "upload what is in it"),
    (b"BZh", "bzip2 archives", "upload what is in it"),
    (b"7z\xbc\xaf\x27\x1c", "7z archives", "upload what is in it"),
    (b"Rar!", "RAR archives", "upload what is in it"),
    (b"\x89PNG", "images", "upload the text in it"),
    (b"\xff\xd8\xff", "images", "upload the text in it"),
    (b"GIF8", "images", "upload the text in it"),
)
_HEAD_BYTES = 4096
_JSON = ("application/json", "application/x-ndjson", NOTEBOOK)
_LEAST_FIELDS = 4
_NO_TAGS = ("text/plain", "text/csv", MAIL, *_JSON, RST, ASCIIDOC)
_OLD_OFFICE = (".xls", ".doc")
"""Endings under which programs write HTML for Excel and Word."""
_SOME_POINTS = 2
_LINES_TRIED = 3
NAMED = {
    "text/plain": "plain text",
    "text/markdown": "Markdown",
    "text/html": "HTML",
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/x-ndjson": "JSON lines",
    NOTEBOOK: "a notebook",
    RST: "reStructuredText",
    ASCIIDOC: "AsciiDoc",
    MAIL: "mail",
}
_PAGE = (b"<!doctype html", b"<html")
_JSON_STARTS = frozenset({bytes([one]) for one in b'{["-0123456789tfn'} | {b""})
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAIL_FIELDS = tuple(
    b"received: return-path: from: to: subject: date: message-id: mime-version: delivered-to: reply-to: content-type: "
    b"content-transfer-encoding: cc:".split()
)


def find_kind_of_ending(ending: str) -> str:
    """Return the type of documents whose names end so, such as ``.pdf``; empty where it is not known."""
    return _EXTENSIONS.get(ending.lower(), "")


def detect_kind(data: bytes, *, name: str, declared: str) -> str:
    """Return the media type to read the document as.

    The label is a hint, and often wrong: browsers on Windows say ``application/vnd.ms-excel`` of a ``.csv``.

    Args:
        data: the document.
        name: its name; the ending counts where neither content nor label tell.
        declared: the media type that it was uploaded with, in lower case and without parameters.

    Raises:
        InvalidInput: it is of a type that can't be read, whatever it is called.
    """
    found = _find_signature(data)
    return found or _look_closer(_choose_kind(data, _ALIASES.get(declared, declared), name), data, name)


def compare_kind(kind: str, data: bytes, *, name: str, declared: str) -> tuple[str, ...]:
    """Return the doubt that a document is what its label or its name says, where they say another type.

    Args:
        kind: what it is read as.
        data: the document.
        name: its name.
        declared: the media type that it was uploaded with, in lower case and without parameters.
    """
    ending = PurePosixPath(name).suffix
    said = {"label": _ALIASES.get(declared, declared), "name": _EXTENSIONS.get(ending.lower(), "")}
    for what, other in said.items():
        if other in BINARY and other != kind:
            return (f"its {what} says {BINARY[other]}, but it is not: read as {kind}",)
    if kind in BINARY:
        return (
            (f"its name ends in '{ending}', but it is {BINARY[kind]}: read as such",)
            if said["name"] not in ("", kind)
            else ()
        )
    told = {what: other for what, other in said.items() if other in NAMED and (what == "name" or other not in _GENERIC)}
    wrong = {what: other for what, other in told.items() if not _is_alike(other, kind)}
    shown = NAMED.get(kind, kind)
    if wrong and len(wrong) == len(told):
        what, other = next(iter(wrong.items()))
        return (f"its {what} says {NAMED[other]}, but it looks like {shown}: read as such",)
    if wrong and set(told.values()) - _GENERIC == set(told.values()):
        words = " and ".join(f"its {what} says {NAMED[other]}" for what, other in told.items())
        return (f"{words}: read as {shown}",)
    if kind in ("text/html", "text/markdown", "text/csv", RST, ASCIIDOC) and (
        seen := _find_other_marks(kind, take_head(data))
    ):
        return (f"it is read as {shown}, but {seen}",)
    return ()


def _is_alike(one: str, other: str) -> bool:
    lines = ("application/json", "application/x-ndjson")
    return one == other or (one in lines and other in lines)


def _find_other_marks(kind: str, head: str) -> str:
    """Return what speaks against a type of markup, though not clearly; empty where nothing does."""
    begin = head.lstrip()[:40]
    if begin.startswith("#!"):
        return "begins as a program does"
    if kind == "text/html":
        if begin.startswith("<?xml") and "<html" not in head:
            return "is XML of another kind"
        return "" if has_tags(head) or not head.strip() else "has no tags"
    if begin.startswith("<?xml"):
        return "begins as XML does"
    if kind == "text/csv":
        return "" if has_columns(head) else "its lines have no columns in common"
    markdown, rst, asciidoc = rate_markups(head)
    others = {"Markdown": markdown, "reStructuredText": rst, "AsciiDoc": asciidoc}
    own = others.pop(NAMED[kind])
    if kind == ASCIIDOC:  # it has Markdown's headings and fences itself
        own = max(own, others.pop("Markdown"))
    marks = [other for other, points in others.items() if points >= _SOME_POINTS and points * 2 > own]
    return f"has marks of {' and '.join(marks)}" if marks else ""


def _look_closer(kind: str, data: bytes, name: str) -> str:
    """Return what a text is, where its content tells clearly that it is not of the type that it is called."""
    suffix = PurePosixPath(name).suffix.lower()
    if kind not in (*TEXT, MAIL) or (kind == "text/plain" and suffix and suffix not in (*_EXTENSIONS, *_OLD_OFFICE)):
        return kind
    head = take_head(data)
    if kind == ASCIIDOC and head.lstrip().startswith("-----BEGIN PGP"):
        return "text/plain"
    if kind != "text/html" and (is_page(head) or (kind in _NO_TAGS and is_fragment(head))):
        return "text/html"
    if kind == "application/json" and b"nbformat" not in data.replace(b"\x00", b""):
        return kind if _trim(data)[:1] in (b"{", b"[") else "text/csv" if is_table(head) else kind
    if _begins_json(data):
        found = _guess_json(data)
        if found is None and kind in ("text/csv", "text/markdown", RST, ASCIIDOC, MAIL) and _holds_json_lines(data):
            return "application/x-ndjson"
        return found if found and kind != found and (kind != NOTEBOOK or found == NOTEBOOK) else kind
    if kind in _JSON:
        return "text/csv" if is_table(head) else kind
    if kind == MAIL and (not head.strip() or (begins_with_field(head) and _count_fields(data))):
        return MAIL
    if kind != MAIL and _is_mail(data):
        return MAIL
    return _look_at_markup(kind, _EXTENSIONS.get(suffix, ""), head)


def _look_at_markup(kind: str, said: str, head: str) -> str:
    """Return the markup in which a text clearly is, or CSV, else the type that it has by its label and name."""
    points = dict(zip(("text/markdown", RST, ASCIIDOC), rate_markups(head), strict=True))
    best = max(points, key=lambda one: points[one])
    rows = is_table(head)
    if (
        kind == MAIL
        or (kind == "text/plain" and said not in ("", kind))
        or (kind == "text/html" and not has_tags(head))
    ):
        found = best if points[best] >= CLEARLY else "text/csv" if rows else kind
        return "text/plain" if found == MAIL else found
    if kind == "text/csv":
        return best if points[best] >= CLEARLY * 2 and not is_table(head, least_commas=1) else kind
    if kind not in points:
        return kind
    # AsciiDoc reads Markdown's headings and fences itself.
    least = CLEARLY * 2 if {best, kind} == {ASCIIDOC, "text/markdown"} else CLEARLY
    if best != kind and points[best] >= least and points[best] > points[kind] * 2:
        return best
    return "text/csv" if rows and not any(points.values()) else kind


def _find_signature(data: bytes) -> str | None:
    """Return the type that a document's bytes say, which no label can change.

    Raises:
        InvalidInput: a type that can't be read.
    """
    if b"%PDF-" in data[:1024] and not _trim(data[:_HEAD_BYTES])[:1] == b"<":
        return PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _find_office_kind(data)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _refuse("documents that are protected by a password", "save it without a password")
        raise _refuse("Office documents of before 2007", "save it as .docx, .xlsx or .pptx, and upload that")
    for mark, what, fix in _UNREADABLE:
        if data.startswith(mark):
            raise _refuse(what, fix)
    return None


def _find_office_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidInput(
            "the document is damaged: its archive can't be opened",
            field="document",
            fix="save it again, and upload that",
        ) from error
    for part, kind in _MAIN_PARTS.items():
        if part in names:
            return kind
    if "xl/workbook.bin" in names:
        raise _refuse("Excel's binary workbooks (.xlsb)", "save it as .xlsx, and upload that")
    if "mimetype" in names:
        raise _refuse("OpenDocument and EPUB", "save it as .docx, .xlsx, .pptx or .pdf, and upload that")
    raise _refuse("ZIP archives", "upload the files in it")


def _refuse(what: str, fix: str) -> InvalidInput:
    return InvalidInput(f"{what} can't be read", field="media_type", fix=fix)


def _choose_kind(data: bytes, label: str, name: str) -> str:
    """Return the type by the label where the content can be of it, else by the name's ending, else by the content."""
    ending = _EXTENSIONS.get(PurePosixPath(name).suffix.lower(), "")
    if label == "application/json" and ending == NOTEBOOK:
        label = NOTEBOOK
    known = (*TEXT, MAIL)
    if label not in _GENERIC and label in known and _can_be(label, data):
        return ending if ending in known and _fits_better(ending, label, data) else label
    # Zeros in what is labelled as nothing in particular may be UTF-16; under a wrong label they are no text.
    if ending in known and _can_be(ending, data) and (label in _GENERIC or not _is_binary(data)):
        return ending
    if label.startswith("text/"):  # Source code, configuration and the like are worth searching too.
        return "text/plain" if label != "text/plain" or not _is_mail(data) else MAIL
    return label or "application/octet-stream" if _is_binary(data) else _guess_kind(data)


def _is_binary(data: bytes) -> bool:
    return b"\x00" in data[:8192] and not data.startswith(_BOMS[1:]) and detect_wide(data) is None


def _fits_better(ending: str, label: str, data: bytes) -> bool:
    """Tell whether content is of the type that its name says, where its label says another one."""
    if ending == label:
        return False
    if label in _JSON:
        return ending not in _JSON and not _is_json(data)
    if ending in _JSON:
        return _is_json(data)
    return ending == "text/html" and _trim(data[:_HEAD_BYTES].replace(b"\x00", b"")).lower().startswith(_PAGE)


def _is_json(data: bytes) -> bool:
    """Tell whether content is an object or a list in JSON, or its first line is."""
    head = _trim(data[:_HEAD_BYTES].replace(b"\x00", b""))[:1]
    return head in (b"{", b"[") and bool(_guess_json(data) or _guess_json(_trim(data).partition(b"\n")[0]))


def _can_be(kind: str, data: bytes) -> bool:
    """Tell whether content can be of a type: JSON begins in few ways, and all else may be any text."""
    if kind not in _JSON:
        return True
    return _trim(data[:_HEAD_BYTES].replace(b"\x00", b""))[:1] in _JSON_STARTS


def _guess_kind(data: bytes) -> str:
    """Return the type of text that neither its label nor its name tells."""
    head = _trim(data[:_HEAD_BYTES].replace(b"\x00", b"")).lower()
    if head.startswith(_PAGE):
        return "text/html"
    if head[:1] in (b"{", b"[") and (kind := _guess_json(data)):
        return kind
    return MAIL if _is_mail(data) else "text/plain"


def _is_mail(data: bytes) -> bool:
    """Tell if a text begins as a message does: fields, and three that messages have among the first."""
    begin = _trim(data[:_HEAD_BYTES]).partition(b"\n")[0].partition(b":")
    return bool(begin[1]) and b" " not in begin[0] and _count_fields(data) >= _LEAST_FIELDS


def _count_fields(data: bytes) -> int:
    """Return how many of the fields that messages have stand among the first lines."""
    lines = _trim(data[:_HEAD_BYTES]).lower().splitlines()[:30]
    return len({field for line in lines for field in _MAIL_FIELDS if line.startswith(field)})


def _begins_json(data: bytes) -> bool:
    """Tell whether content begins and ends as an object or a list in JSON does."""
    begin = _trim(data[:_HEAD_BYTES].replace(b"\x00", b""))[:1]
    end = data[-_HEAD_BYTES:].replace(b"\x00", b"").rstrip()[-1:]
    return begin + end in (b"{}", b"[]")


def _holds_json_lines(data: bytes) -> bool:
    """Tell whether the first lines are objects in JSON, each."""
    lines = [
        line for line in _trim(data.replace(b"\x00", b"")).split(b"\n", _LINES_TRIED)[:_LINES_TRIED] if line.strip()
    ]
    return len(lines) > 1 and all(line[:1] == b"{" and _guess_json(line) for line in lines)


def _guess_json(data: bytes) -> str | None:
    try:
        value = read_json(decode(data).text)
    except ValueError:
        return None
    if isinstance(value, dict) and "nbformat" in value and {"cells", "worksheets"} & set(value):
        return NOTEBOOK
    return "application/json"


def _trim(head: bytes) -> bytes:
    for mark in _BOMS:
        head = head.removeprefix(mark)
    return head.lstrip()
