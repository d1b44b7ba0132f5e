"""Documents as their programs write them, for tests."""

import ctypes
import io
import zipfile
from collections.abc import Callable, Sequence

import pypdfium2
from docx import Document
from docx.document import Document as WordDocument
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, FloatObject, NameObject, StreamObject
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


def make_drawn_pdf(pages: Sequence[str]) -> bytes:
    """Return a PDF of pages of 595 by 842 points that are drawn by these operators; ``/F`` is a font."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    clear = DictionaryObject({NameObject("/ca"): FloatObject(0)})
    for operators in pages:
        page = writer.add_blank_page(595, 842)
        page[NameObject("/Resources")] = DictionaryObject(
            {
                NameObject("/Font"): DictionaryObject({NameObject("/F"): font}),
                NameObject("/ExtGState"): DictionaryObject({NameObject("/Clear"): clear}),
            }
        )
        content = StreamObject()
        content.set_data(operators.encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    return save(writer.write)


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
