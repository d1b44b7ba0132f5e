"""Documents as their programs write them, for tests."""

import ctypes
import io
import zipfile
from collections.abc import Callable, Sequence

import pypdfium2
from docx import Document
from docx.document import Document as WordDocument
from pypdfium2 import raw

Line = tuple[float, float, str]
"""Height on the page in points, size of the letters, words."""


def make_pdf(pages: Sequence[Sequence[Line]]) -> bytes:
    """Return a PDF of these lines."""
    document = pypdfium2.PdfDocument.new()
    for lines in pages:
        page = document.new_page(595, 842)
        for height, size, words in lines:
            piece = raw.FPDFPageObj_NewTextObj(document, b"Helvetica", size)
            encoded = ctypes.create_string_buffer((words + "\0").encode("utf-16-le"))
            raw.FPDFText_SetText(piece, ctypes.cast(encoded, ctypes.POINTER(ctypes.c_ushort)))
            raw.FPDFPageObj_Transform(piece, 1, 0, 0, 1, 50, height)
            raw.FPDFPage_InsertObject(page, piece)
        raw.FPDFPage_GenerateContent(page)
    return save(document.save)


def make_word(build: Callable[[WordDocument], None]) -> bytes:
    """Return a Word document."""
    document = Document()
    build(document)
    return save(document.save)


def save(write: Callable[[io.BytesIO], object]) -> bytes:
    """Return what a library writes."""
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def replace_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return an Office document with one part changed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in source.infolist():
            content = source.read(part)
            made.writestr(part.filename, change(content) if part.filename == name else content)
    return target.getvalue()
